"""Areas under the ROC curve of an ensemble with each candidate added."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mpi_automl.metrics.chunks import blocks
from mpi_automl.metrics.registry import Metric

Areas = NDArray[np.float64]
Running = dict[int, NDArray[np.float32]]

_AT_ONCE = 1 << 18
"""Sums that are put into histograms at once: few enough for a core's cache, enough to make a call cheap."""
_STEPS = (1 << 15) - 1
"""Steps into which the range of an output is divided."""
_MOST_STEPS = 1 << 30
_ROWS_PER_BIN = 16
_LEAST_BINS, _MOST_BINS = 64, 1 << 14
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
    are, pairs in the same bin for the candidate. Only candidates that may be the best are sorted. For the
    histograms outputs are kept as whole numbers of 16 bits, rounded down; rows of the class are raised by what
    rounding can have taken from them, so that bounds stay bounds. See `mpi_automl.metrics.scorers.Scorer`.
    """

    def __init__(self, share: NDArray[np.float32], y: NDArray[Any], metric: Metric) -> None:
        self.share, self.metric = share, metric
        self.n_candidates, n_classes, self.n_rows = share.shape
        rows = np.bincount(y, minlength=n_classes)
        codes = [1] if n_classes == 2 else range(n_classes)
        self.inside = {code: int(rows[code]) for code in codes if 0 < rows[code] < len(y)}
        self.orders = {code: np.argsort(y != code, kind="stable") for code in self.inside}
        self.outputs = {code: _Output.of(share[:, code], order) for code, order in self.orders.items()}
        self.is_finite = all(math.isfinite(output.low + output.unit) for output in self.outputs.values())

    def costs(
        self, total: NDArray[np.float64], members: int, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """See `Scorer.costs`."""
        if not self.inside:
            return np.full(self.n_candidates, np.inf)
        running = {code: total[order, code].astype(np.float32) for code, order in self.orders.items()}
        if allowed is None or not self.is_finite or not np.isfinite(total).all():
            ones = np.ones(len(self.inside))
            areas = np.array([self._exact(running, candidate, ones) for candidate in range(self.n_candidates)])
        else:
            areas = self._best(running, np.flatnonzero(allowed), 1 + members // _ROUNDS)
        return np.asarray(self.metric.cost_of(areas))

    def _best(self, running: Running, wanted: NDArray[np.intp], fineness: int) -> Areas:
        """Areas of the best of the wanted candidates; of all others less, and no less than they are."""
        areas, settled = np.zeros(self.n_candidates), np.zeros(self.n_candidates, dtype=bool)
        areas[wanted] = 1.0
        by_class = np.ones((self.n_candidates, len(self.inside)))
        most_bins = min(2 * self.n_rows, _MOST_BINS)
        bins = min(max(_LEAST_BINS, fineness * self.n_rows // _ROWS_PER_BIN), most_bins)
        bar = 0.0
        while len(unsettled := wanted[~settled[wanted]]) > _FEW and bins <= most_bins:
            by_class[unsettled], settled[unsettled] = self._bounds(running, unsettled, bins, bar)
            areas[unsettled] = by_class[unsettled].mean(axis=1)
            leader = unsettled[areas[unsettled].argmax()]
            areas[leader], settled[leader] = self._exact(running, leader, by_class[leader]), True
            bar = max(bar, areas[leader])
            wanted = wanted[areas[wanted] >= bar - _MARGIN]
            bins *= _FINER
        for candidate in wanted[np.argsort(-areas[wanted], kind="stable")]:
            if areas[candidate] >= bar - _MARGIN and not settled[candidate]:
                areas[candidate] = self._exact(running, candidate, by_class[candidate], bar)
                bar = max(bar, areas[candidate])
        return areas

    def _bounds(
        self, running: Running, candidates: NDArray[np.intp], bins: int, bar: float
    ) -> tuple[Areas, NDArray[np.bool_]]:
        """Greatest areas that candidates can have in each class, and who surely has all pairs in order.

        Class after class is counted, for candidates that may still reach the bar, an area that one of them has.
        """
        places = {code: _Places.of(self.outputs[code], own, self.inside[code], bins) for code, own in running.items()}
        most_bins = max(place.bins for place in places.values())
        step = max(1, min(_AT_ONCE // max(self.n_rows, 2 * most_bins), len(candidates)))
        histograms = _Histograms(step, self.n_rows, most_bins)
        most, are_perfect = np.ones((len(candidates), len(places))), np.ones(len(candidates), dtype=bool)
        for column, (code, place) in enumerate(places.items()):
            hopeful = np.flatnonzero(most.mean(axis=1) >= bar - _MARGIN)
            histograms.set_up(self.inside[code])
            for start in range(0, len(hopeful), step):
                some = hopeful[start : start + step]
                place.find(self.outputs[code].steps, candidates[some], histograms)
                most[some, column], flawless = histograms.areas(len(some), place.is_coarse)
                are_perfect[some] &= flawless
            if not bar:
                leader = most[:, 0].argmax()
                bar = self._exact(running, candidates[leader], most[leader])
        return most, are_perfect & (most == 1.0).all(axis=1)

    def _exact(self, running: Running, candidate: int | np.intp, most: Areas, bar: float = 0.0) -> float:
        """Area of a candidate; less than the bar, though not less than it is, if that is sure before all is sorted."""
        areas = most.copy()
        for column, (code, n_inside) in enumerate(self.inside.items()):
            if areas.mean() < bar - _MARGIN:
                break
            sums = self.share[candidate, code][self.orders[code]] + running[code]
            areas[column] = _area(sums[:n_inside], sums[n_inside:])
        return float(areas.mean())


@dataclass(frozen=True, eq=False)
class _Output:
    """One output of all candidates, the rows of its class first.

    Attributes
    ----------
    steps : ndarray of uint16, shape (n_candidates, n_rows)
        How many whole units an output is above `low`.
    low, unit : float
    """

    steps: NDArray[np.uint16]
    low: float
    unit: float

    @classmethod
    def of(cls, values: NDArray[np.float32], order: NDArray[np.intp]) -> _Output:
        low, high = float(values.min()), float(values.max())
        unit = max((high - low) / _STEPS, float(np.finfo(np.float32).tiny))
        steps = np.zeros(values.shape, dtype=np.uint16)
        if math.isfinite(low + unit):
            for block in blocks(len(values), 2 * len(order)):
                scaled = (values[block][:, order] - np.float64(low)) / unit
                np.copyto(steps[block], scaled, casting="unsafe")
        return cls(steps, low, unit)


@dataclass(frozen=True, eq=False)
class _Places:
    """How the sums of an output and the running sum are put into bins.

    Steps are added, and then made larger by a power of two.

    Attributes
    ----------
    running : ndarray of int32, shape (n_rows,)
        The running sum in steps; two more for rows of the class, as either addend may have lost nearly one.
    before, after : int
        Bits to leave out before adding, where sums have too few to be told apart, and after it.
    bins : int
    """

    running: NDArray[np.int32]
    before: int
    after: int
    bins: int

    @classmethod
    def of(cls, output: _Output, running: NDArray[np.float32], n_inside: int, bins: int) -> _Places:
        low, high = float(running.min()), float(running.max())
        span = (high - low) / output.unit + _STEPS
        greatest = max(abs(low), abs(high)) + abs(output.low) + _STEPS * output.unit
        # Steps must be far larger than the rounding of the sums that are sorted.
        rounding = 4.0 * float(np.finfo(np.float32).eps) * greatest
        before = max(0, math.ceil(math.log2(max(span / _MOST_STEPS, rounding / output.unit))))
        steps = np.floor((running.astype(np.float64) - low) / (output.unit * 2.0**before)).astype(np.int32)
        steps[:n_inside] += 2
        most = int(steps.max()) + (_STEPS >> before)
        after = max(0, round(math.log2(most / bins)))
        return cls(steps, min(before, 15), after, (most >> after) + 1)

    @property
    def is_coarse(self) -> bool:
        """A bin has more than the two steps that rows of the class were raised by."""
        return self.after >= 2

    def find(self, steps: NDArray[np.uint16], candidates: NDArray[np.intp], histograms: _Histograms) -> None:
        """Put the bins of some candidates' rows into the histograms; neighbours among them are not copied first."""
        columns, taken = histograms.columns[: len(candidates)], histograms.taken[: len(candidates)]
        first, last = int(candidates[0]), int(candidates[-1])
        if last - first + 1 == len(candidates):
            some = steps[first : last + 1]
        else:
            some = np.take(steps, candidates, axis=0, out=taken, mode="clip")
        if self.before:
            some = np.right_shift(some, self.before, out=taken)
        np.add(some, self.running, out=columns)
        np.right_shift(columns, self.after, out=columns)


class _Histograms:
    """Histograms of several candidates' sums at once, the rows of a class and the others apart.

    A sparse matrix with a row for each histogram counts while it is made dense, in half the time of
    `numpy.bincount`; it is made once and then given other column numbers.
    """

    def __init__(self, n_candidates: int, n_rows: int, bins: int) -> None:
        self.n_rows, self.bins = n_rows, bins
        self.taken = np.empty((n_candidates, n_rows), dtype=np.uint16)
        columns = np.zeros(n_candidates * n_rows, dtype=np.int32)
        ends = np.repeat(np.arange(n_candidates + 1, dtype=np.int32) * np.int32(n_rows), 2)[1:]
        shape = (2 * n_candidates, bins)
        self.matrix = csr_array((np.ones(len(columns), dtype=np.int64), columns, ends), shape=shape)
        self.columns = self.matrix.indices.reshape(n_candidates, n_rows)
        self.dense = np.empty(shape, dtype=np.int64)

    def set_up(self, n_inside: int) -> None:
        """Count the first `n_inside` rows apart."""
        self.matrix.indptr[1::2] = self.matrix.indptr[:-1:2] + n_inside
        self.n_pairs = n_inside * (self.n_rows - n_inside)

    def areas(self, n_candidates: int, is_coarse: bool) -> tuple[Areas, NDArray[np.bool_]]:
        """Share of the pairs that may be in order, of the first so many candidates, and whether all surely are.

        With coarse bins, two of them are further apart than rows of the class were raised.
        """
        counts = self.matrix.toarray(out=self.dense).reshape(-1, 2, self.bins)[:n_candidates]
        inside, below = counts[:, 0], np.cumsum(counts[:, 1], axis=1)
        perhaps = np.einsum("ij,ij->i", inside, below)
        flawless = perhaps == self.n_pairs
        if is_coarse and flawless.any():
            flawless &= np.einsum("ij,ij->i", inside[:, 2:], below[:, :-2]) == self.n_pairs
        return perhaps / self.n_pairs, flawless & is_coarse


def _area(inside: NDArray[np.float32], outside: NDArray[np.float32]) -> float:
    """Area under the curve; sorts its arguments in place."""
    inside.sort()
    outside.sort()
    few, many = (inside, outside) if len(inside) <= len(outside) else (outside, inside)
    not_below = int(np.searchsorted(many, few, side="left").sum()) + int(np.searchsorted(many, few, side="right").sum())
    twice = 2 * len(inside) * len(outside)
    return (not_below if few is inside else twice - not_below) / twice
