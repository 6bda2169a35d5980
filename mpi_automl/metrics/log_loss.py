"""Log losses of an ensemble with each candidate added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.chunks import Scratch, blocks, class_slices, pieces
from mpi_automl.metrics.registry import Metric
from mpi_automl.metrics.scoring import CLIP

Share = NDArray[np.float32]
Costs = NDArray[np.float64]
Allowed = NDArray[np.bool_] | None


class LogLossScorer:
    """Log loss: only the probabilities of the true classes matter.

    Probabilities are multiplied in groups before the logarithm is taken: 32 of them, each at least `CLIP`, stay far
    above the smallest float64.
    """

    group = 32

    def __init__(self, share: Share, y: NDArray[Any], metric: Metric) -> None:
        self.metric, self.y, self.every = metric, y, np.arange(len(y))
        n_candidates, n_classes, n_rows = share.shape
        self.share: Share = np.empty((n_candidates, n_rows), dtype=np.float32)
        for code, rows in enumerate(class_slices(y, n_classes)):
            self.share[:, rows] = share[:, code, rows]

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.scorers.Scorer.costs`."""
        n_candidates, n_rows = self.share.shape
        running = total[self.every, self.y].astype(np.float32)
        least, most = np.float32(CLIP * (members + 1)), np.float32((1.0 - CLIP) * (members + 1))
        logarithms = np.zeros(n_candidates)
        scratch = Scratch()
        for piece in pieces(n_rows):
            for block in blocks(n_candidates, piece.stop - piece.start):
                some = self.share[block, piece]
                sums = scratch.array("sums", some.shape, np.float32)
                np.add(some, running[piece], out=sums)
                wide = scratch.array("wide", some.shape, np.float64)
                np.clip(sums, least, most, out=wide)
                logarithms[block] += self._logarithms(wide)
        return np.asarray(self.metric.cost_of(np.log(members + 1) - logarithms / n_rows))

    def _logarithms(self, sums: NDArray[np.float64]) -> Costs:
        n_candidates, width = sums.shape
        whole = width // self.group * self.group
        grouped = sums[:, :whole].reshape(n_candidates, self.group, whole // self.group)
        products = np.asarray(np.multiply.reduce(grouped, axis=1))
        return np.asarray(np.log(products).sum(axis=1) + np.log(sums[:, whole:]).sum(axis=1))
