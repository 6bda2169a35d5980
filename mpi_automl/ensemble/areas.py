"""Areas under the ROC curve of an ensemble with each candidate added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mpi_automl.ensemble.blocks import blocks
from mpi_automl.evaluation.metrics import Metric

Areas = NDArray[np.float64]
Running = dict[int, NDArray[np.float32]]

_AT_ONCE = 1 << 18
"""Sums that are put into histograms at once: few enough for a core's cache, enough to make a call cheap."""
_ROWS_PER_BIN = 16
_LEAST_BINS, _MOST_BINS = 64, 1 << 16
_ROUNDS = 8
"""Candidates come closer to each other as members are added: so many more, and the first bins are as much finer."""
_FINER = 4
_FEW = 8
"""So many candidates are sorted rather than counted once more in finer bins."""
_MARGIN = 1e-12
"""Far below the smallest difference of two areas, far above the rounding of their sums."""


class AreaScorer:
    """Area under the ROC curve, with several classes the mean of each one against the rest.

    The rows of the class and the others are sorted apart; the area follows from where the former fall among the
    latter (the Mann-Whitney statistic, ties counted one half). Sorting is slow. Where only the best candidates are
    wanted, histograms of the sums therefore give bounds first: pairs of rows in different bins are counted as they
    are, pairs in the same bin for or against the candidate. Only candidates that may be the best are sorted. See
    `mpi_automl.ensemble.scorers.Scorer`.
    """

    def __init__(self, predictions: NDArray[np.float32], y: NDArray[Any], metric: Metric) -> None:
        self.metric = metric
        rows = np.bincount(y, minlength=predictions.shape[2])
        codes = [1] if predictions.shape[2] == 2 else range(predictions.shape[2])
        self.inside = {code: int(rows[code]) for code in codes if 0 < rows[code] < len(y)}
        ends = np.cumsum(rows)
        groups = {code: slice(int(ends[code] - rows[code]), int(ends[code])) for code in self.inside}
        by_class = np.argsort(y, kind="stable")
        self.orders = {code: _with_first(by_class, group) for code, group in groups.items()}
        self.shares = _outputs(predictions, by_class, groups)
        self.ranges = {code: (share.min(), share.max()) for code, share in self.shares.items()}
        self.n_candidates, self.n_rows = predictions.shape[:2]

    def costs(
        self, total: NDArray[np.float64], members: int, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """See `Scorer.costs`."""
        if not self.inside:
            return np.full(self.n_candidates, np.inf)
        running = {code: total[order, code].astype(np.float32) for code, order in self.orders.items()}
        if allowed is None or not all(np.isfinite(self._ends(code, own)).all() for code, own in running.items()):
            areas = np.array([self._exact(running, candidate) for candidate in range(self.n_candidates)])
        else:
            areas = self._best(running, np.flatnonzero(allowed), 1 + members // _ROUNDS)
        return np.asarray(self.metric.cost_of(areas))

    def _best(self, running: Running, wanted: NDArray[np.intp], fineness: int) -> Areas:
        """Areas of the best of the wanted candidates; of all others less, and no less than they are."""
        areas, settled = np.zeros(self.n_candidates), np.zeros(self.n_candidates, dtype=bool)
        areas[wanted] = 1.0
        most_bins = min(2 * self.n_rows, _MOST_BINS)
        bins = min(max(_LEAST_BINS, fineness * self.n_rows // _ROWS_PER_BIN), most_bins // _FINER)
        bar = 0.0
        while len(unsettled := wanted[~settled[wanted]]) > _FEW and bins <= most_bins:
            bounds = _Bounds(len(unsettled), len(self.inside))
            self._narrow(running, unsettled, bounds, bins, bar)
            areas[unsettled], settled[unsettled] = bounds.most, bounds.are_met
            leader = unsettled[bounds.leader]
            areas[leader], settled[leader] = self._exact(running, leader), True
            bar = max(bar, areas[leader], bounds.least.max())
            wanted = wanted[areas[wanted] >= bar - _MARGIN]
            bins *= _FINER
        for candidate in wanted[np.argsort(-areas[wanted], kind="stable")]:
            if areas[candidate] >= bar - _MARGIN and not settled[candidate]:
                areas[candidate] = self._exact(running, candidate)
                bar = max(bar, areas[candidate])
        return areas

    def _narrow(self, running: Running, candidates: NDArray[np.intp], bounds: _Bounds, bins: int, bar: float) -> None:
        """Count class after class, for candidates that may still reach the bar, an area that one of them has."""
        step = max(1, min(_AT_ONCE // max(self.n_rows, 2 * bins), len(candidates)))
        histograms = _Histograms(step, self.n_rows, bins)
        for code, own in running.items():
            hopeful = np.flatnonzero(bounds.most >= bar - _MARGIN)
            histograms.set_up(self.inside[code], *self._ends(code, own))
            for start in range(0, len(hopeful), step):
                some = hopeful[start : start + step]
                _add(self.shares[code], candidates[some], own, histograms.sums[: len(some)])
                bounds.add(some, *histograms.shares(len(some)))
            if not bar:
                bar = self._exact(running, candidates[bounds.leader])

    def _ends(self, code: int, own: NDArray[np.float32]) -> tuple[np.float32, np.float32]:
        """No sum of a candidate's outputs and the running sum is less than the first, or more than the second."""
        least, most = self.ranges[code]
        return np.float32(least + own.min()), np.float32(most + own.max())

    def _exact(self, running: Running, candidate: int | np.intp) -> float:
        area = 0.0
        for code, n_inside in self.inside.items():
            sums = self.shares[code][candidate] + running[code]
            area += _area(sums[:n_inside], sums[n_inside:])
        return area / len(self.inside)


class _Bounds:
    """Least and greatest area that each of some candidates can have, as far as classes have been counted."""

    def __init__(self, n_candidates: int, n_classes: int) -> None:
        self.n_classes = n_classes
        self.counted = np.zeros(n_candidates, dtype=np.intp)
        self.surely, self.perhaps = np.zeros(n_candidates), np.zeros(n_candidates)

    def add(self, some: NDArray[np.intp], surely: Areas, perhaps: Areas) -> None:
        """Take in the bounds of a further class, for some of the candidates."""
        self.counted[some] += 1
        self.surely[some] += surely
        self.perhaps[some] += perhaps

    @property
    def least(self) -> Areas:
        return self.surely / self.n_classes

    @property
    def most(self) -> Areas:
        return np.asarray((self.perhaps + (self.n_classes - self.counted)) / self.n_classes)

    @property
    def leader(self) -> int:
        """Who seems to be the best so far."""
        return int((self.surely + self.perhaps - 2 * (self.n_classes - self.counted)).argmax())

    @property
    def are_met(self) -> NDArray[np.bool_]:
        """Whose area is known: nothing is left between the bounds."""
        return np.asarray(self.least == self.most)


class _Histograms:
    """Histograms of several candidates' sums at once, the rows of a class and the others apart.

    A sparse matrix with a row for each histogram counts while it is made dense, in half the time of
    `numpy.bincount`; it is made once and then given other column numbers.
    """

    def __init__(self, n_candidates: int, n_rows: int, bins: int) -> None:
        self.n_rows, self.bins = n_rows, bins
        self.sums = np.empty((n_candidates, n_rows), dtype=np.float32)
        columns = np.zeros(n_candidates * n_rows, dtype=np.int32)
        ends = np.repeat(np.arange(n_candidates + 1, dtype=np.int32) * np.int32(n_rows), 2)[1:]
        shape = (2 * n_candidates, bins)
        self.matrix = csr_array((np.ones(len(columns), dtype=np.int64), columns, ends), shape=shape)
        self.columns = self.matrix.indices.reshape(n_candidates, n_rows)
        self.dense = np.empty(shape, dtype=np.int64)

    def set_up(self, n_inside: int, low: np.float32, high: np.float32) -> None:
        """Count the first `n_inside` rows apart; all sums are from `low` to `high`."""
        self.matrix.indptr[1::2] = self.matrix.indptr[:-1:2] + n_inside
        self.n_pairs = n_inside * (self.n_rows - n_inside)
        self.start = min(low, np.float32(0.0))
        width = max(high - self.start, np.finfo(np.float32).tiny * np.float32(self.bins))
        self.scale = np.float32((self.bins - 1) / width)

    def shares(self, n_candidates: int) -> tuple[Areas, Areas]:
        """Share of the pairs that are surely in order, and that may be, of the first so many rows of `sums`."""
        sums = self.sums[:n_candidates]
        if self.start < 0.0:
            np.subtract(sums, self.start, out=sums)
        np.multiply(sums, self.scale, out=sums)
        np.copyto(self.columns[:n_candidates], sums, casting="unsafe")
        counts = self.matrix.toarray(out=self.dense).reshape(-1, 2, self.bins)[:n_candidates]
        inside, others = counts[:, 0], counts[:, 1]
        perhaps = np.einsum("ij,ij->i", inside, np.cumsum(others, axis=1))
        surely = perhaps - np.einsum("ij,ij->i", inside, others)
        return surely / self.n_pairs, perhaps / self.n_pairs


def _add(
    share: NDArray[np.float32], candidates: NDArray[np.intp], own: NDArray[np.float32], sums: NDArray[np.float32]
) -> None:
    """Sums of some candidates; neighbours among them are not copied first."""
    first, last = int(candidates[0]), int(candidates[-1])
    if last - first + 1 == len(candidates):
        np.add(share[first : last + 1], own, out=sums)
    else:
        np.take(share, candidates, axis=0, out=sums, mode="clip")
        np.add(sums, own, out=sums)


def _outputs(
    predictions: NDArray[np.float32], by_class: NDArray[np.intp], groups: dict[int, slice]
) -> dict[int, NDArray[np.float32]]:
    """The output of each class, rows of the class first."""
    shares = {code: np.empty(predictions.shape[:2], dtype=np.float32) for code in groups}
    for block in blocks(len(predictions), predictions[0].size):
        outputs = np.take(predictions[block], by_class, axis=1).transpose(2, 0, 1)
        for code, group in groups.items():
            _with_first(outputs[code], group, out=shares[code][block])
    return shares


def _with_first(values: NDArray[Any], group: slice, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Values, along the last axis those of a group first."""
    return np.concatenate([values[..., group], values[..., : group.start], values[..., group.stop :]], axis=-1, out=out)


def _area(inside: NDArray[np.float32], outside: NDArray[np.float32]) -> float:
    """Area under the curve; sorts its arguments in place."""
    inside.sort()
    outside.sort()
    few, many = (inside, outside) if len(inside) <= len(outside) else (outside, inside)
    not_below = int(np.searchsorted(many, few, side="left").sum()) + int(np.searchsorted(many, few, side="right").sum())
    twice = 2 * len(inside) * len(outside)
    return (not_below if few is inside else twice - not_below) / twice
