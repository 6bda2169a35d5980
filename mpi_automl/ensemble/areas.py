"""Areas under the ROC curve of an ensemble with each candidate added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.ensemble.blocks import blocks
from mpi_automl.evaluation.metrics import Metric
from mpi_automl.evaluation.scoring import indicators

Areas = NDArray[np.float64]

_BINS = 4096
_MARGIN = 1e-12
"""Far below the smallest difference of two areas, far above the rounding of their sums."""


class AreaScorer:
    """Area under the ROC curve, with several classes the mean of each one against the rest.

    The rows of the class and the others are sorted apart; the area follows from where the former fall among the
    latter (the Mann-Whitney statistic, ties counted one half). Where only the best candidates are wanted, histograms
    give bounds first, and only candidates that may be the best are sorted. See `mpi_automl.ensemble.scorers.Scorer`.
    """

    def __init__(self, predictions: NDArray[np.float32], y: NDArray[Any], metric: Metric) -> None:
        self.metric = metric
        present = indicators(y, predictions.shape[2])
        codes = [1] if predictions.shape[2] == 2 else range(predictions.shape[2])
        self.inside = {code: int(present[:, code].sum()) for code in codes if 0 < present[:, code].sum() < len(y)}
        self.orders = {code: np.argsort(~present[:, code], kind="stable") for code in self.inside}
        self.shares = {code: _output(predictions, code, order) for code, order in self.orders.items()}
        self.n_candidates = len(predictions)

    def costs(
        self, total: NDArray[np.float64], members: int, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """See `Scorer.costs`."""
        if not self.inside:
            return np.full(self.n_candidates, np.inf)
        running = {code: total[order, code].astype(np.float32) for code, order in self.orders.items()}
        if allowed is None:
            wanted, areas = np.ones(self.n_candidates, dtype=bool), np.empty(self.n_candidates)
        else:
            least, areas = self._bounds(running, members)
            wanted = allowed & (areas >= least[allowed].max(initial=0.0) - _MARGIN)
        areas[wanted] = self._exact(running, np.flatnonzero(wanted))
        return np.asarray(self.metric.cost_of(areas))

    def _exact(self, running: dict[int, NDArray[np.float32]], candidates: NDArray[np.intp]) -> Areas:
        areas = np.zeros(len(candidates))
        for code, n_inside in self.inside.items():
            for position, candidate in enumerate(candidates):
                sums = self.shares[code][candidate] + running[code]
                areas[position] += _area(sums[:n_inside], sums[n_inside:])
        return np.asarray(areas / len(self.inside))

    def _bounds(self, running: dict[int, NDArray[np.float32]], members: int) -> tuple[Areas, Areas]:
        """Least and greatest area that each candidate can have, from histograms of the sums."""
        least, rest = np.zeros(self.n_candidates), np.zeros(self.n_candidates)
        scale = np.float32((_BINS - 1) / (members + 1))
        for code, n_inside in self.inside.items():
            pairs = n_inside * (len(running[code]) - n_inside)
            for candidate, own in enumerate(self.shares[code]):
                sums = own + running[code]
                np.multiply(sums, scale, out=sums)
                bins = np.clip(sums, 0, _BINS - 1, out=sums).astype(np.intp)
                within = np.bincount(bins[:n_inside], minlength=_BINS)
                others = np.bincount(bins[n_inside:], minlength=_BINS)
                together = int(within @ others)
                least[candidate] += (int(within @ np.cumsum(others)) - together) / pairs
                rest[candidate] += together / pairs
        return least / len(self.inside), (least + rest) / len(self.inside)


def _output(predictions: NDArray[np.float32], code: int, order: NDArray[np.intp]) -> NDArray[np.float32]:
    share = np.empty(predictions.shape[:2], dtype=np.float32)
    for block in blocks(len(predictions), predictions.shape[1]):
        share[block] = predictions[block, :, code][:, order]
    return share


def _area(inside: NDArray[np.float32], outside: NDArray[np.float32]) -> float:
    """Area under the curve; sorts its arguments in place."""
    inside.sort()
    outside.sort()
    few, many = (inside, outside) if len(inside) <= len(outside) else (outside, inside)
    below = int(np.searchsorted(many, few, side="left").sum())
    not_above = int(np.searchsorted(many, few, side="right").sum())
    share = (below + not_above) / (2.0 * len(inside) * len(outside))
    return share if few is inside else 1.0 - share
