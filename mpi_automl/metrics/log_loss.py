"""Fast scorer of the log loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.chunks import Workspace, candidate_chunks, class_slices, row_chunks
from mpi_automl.metrics.metric import Allowed, Costs, Metric, Outputs
from mpi_automl.metrics.score_functions import CLIP

_GROUP = 32
"""Probabilities multiplied before one logarithm is taken: so many, each at least `CLIP`, stay far above the smallest
float64."""


class LogLossScorer:
    """Log loss of classes: only the probabilities of the true classes matter.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n_candidates, n_classes, n_rows)
    y : ndarray, shape (n_rows,)
        Class codes in ascending order.
    metric : Metric
    """

    def __init__(self, outputs: Outputs, y: NDArray[Any], metric: Metric) -> None:
        self.metric, self.y, self.every_row = metric, y, np.arange(len(y))
        n_candidates, n_classes, n_rows = outputs.shape
        self.of_true_class = np.empty((n_candidates, n_rows), dtype=np.float32)
        for code, rows in enumerate(class_slices(y, n_classes)):
            self.of_true_class[:, rows] = outputs[:, code, rows]

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        n_candidates, n_rows = self.of_true_class.shape
        running = total[self.every_row, self.y].astype(np.float32)
        lowest, highest = np.float32(CLIP * (members + 1)), np.float32((1.0 - CLIP) * (members + 1))
        logarithms = np.zeros(n_candidates)
        workspace = Workspace()
        for rows in row_chunks(n_rows):
            for chunk in candidate_chunks(n_candidates, rows.stop - rows.start):
                some = self.of_true_class[chunk, rows]
                sums = workspace.array("sums", some.shape, np.float32)
                np.add(some, running[rows], out=sums)
                wide = workspace.array("wide", some.shape, np.float64)
                np.clip(sums, lowest, highest, out=wide)
                logarithms[chunk] += _sum_of_logarithms(wide)
        return np.asarray(self.metric.cost_of(np.log(members + 1) - logarithms / n_rows))


def _sum_of_logarithms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the logarithms of each row, shape (n_candidates,)."""
    n_candidates, width = values.shape
    whole = width // _GROUP * _GROUP
    grouped = values[:, :whole].reshape(n_candidates, _GROUP, whole // _GROUP)
    products = np.asarray(np.multiply.reduce(grouped, axis=1))
    return np.asarray(np.log(products).sum(axis=1) + np.log(values[:, whole:]).sum(axis=1))
