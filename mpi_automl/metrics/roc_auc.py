"""Fast scorer of the area under the ROC curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.chunks import candidate_chunks
from mpi_automl.metrics.metric import Allowed, Costs, Metric, Outputs

Areas = NDArray[np.float64]
RunningSums = dict[int, NDArray[np.float32]]
"""Sum of the members' predictions of each class, shape (n_rows,), the rows of the class first."""

_HISTOGRAM_VALUES = 1 << 18
"""Sums that are put into histograms at once: few enough for a core's cache, enough to make a call cheap."""
_LEVELS = (1 << 15) - 1
"""Levels into which the range of an output is divided; they are kept in 16 bits, half the size of predictions."""
_MAX_LEVELS = 1 << 30
"""Levels into which the range of a sum is divided: with those of an output added they fit into int32."""
_ROWS_PER_BIN = 16
_MIN_BINS, _MAX_BINS = 64, 1 << 14
_MEMBERS_PER_FINENESS = 8
"""Candidates come closer to each other as members are added: so many more, and the first bins are as much finer."""
_REFINEMENT = 4
"""Factor between the bins of one level and the next finer one."""
_SORT_AT_MOST = 8
"""So many candidates are sorted rather than counted again in finer bins."""
_TOLERANCE = 1e-12
"""Far below the smallest difference of two areas, far above the rounding of their sums."""


class RocAucScorer:
    """Area under the ROC curve, with several classes the mean of each one against the rest.

    The rows of the class (positive) and the others (negative) are sorted apart; the area follows from where the former
    fall among the latter (the Mann-Whitney statistic, ties counted one half). Sorting is slow. Where only the best
    candidates are wanted, histograms of the sums therefore give upper bounds first: pairs of rows in different bins are
    counted as they are, pairs in the same bin for the candidate. Only candidates that may be the best are sorted. For
    the histograms outputs are kept as whole numbers of 16 bits, rounded down; positive rows are raised by what rounding
    can have taken from them, so that bounds stay bounds.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n_candidates, n_classes, n_rows)
    y : ndarray, shape (n_rows,)
        Class codes in ascending order.
    metric : Metric
    """

    def __init__(self, outputs: Outputs, y: NDArray[Any], metric: Metric) -> None:
        self.outputs, self.metric = outputs, metric
        self.n_candidates, n_classes, self.n_rows = outputs.shape
        rows = np.bincount(y, minlength=n_classes)
        codes = [1] if n_classes == 2 else range(n_classes)
        self.n_positive = {code: int(rows[code]) for code in codes if 0 < rows[code] < len(y)}
        self.orders = {code: np.argsort(y != code, kind="stable") for code in self.n_positive}
        self.quantised = {code: _QuantisedOutput.of(outputs[:, code], order) for code, order in self.orders.items()}
        self.is_finite = all(math.isfinite(output.low + output.unit) for output in self.quantised.values())

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        if not self.n_positive:
            return np.full(self.n_candidates, np.inf)
        running = {code: total[order, code].astype(np.float32) for code, order in self.orders.items()}
        if allowed is None or not self.is_finite or not np.isfinite(total).all():
            ones = np.ones(len(self.n_positive))
            areas = np.array([self._exact(running, candidate, ones) for candidate in range(self.n_candidates)])
        else:
            areas = self._best(running, np.flatnonzero(allowed), 1 + members // _MEMBERS_PER_FINENESS)
        return np.asarray(self.metric.cost_of(areas))

    def _best(self, running: RunningSums, wanted: NDArray[np.intp], fineness: int) -> Areas:
        """Areas of the best of the wanted candidates; of all others less, and no less than they are."""
        areas, is_exact = np.zeros(self.n_candidates), np.zeros(self.n_candidates, dtype=bool)
        areas[wanted] = 1.0
        by_class = np.ones((self.n_candidates, len(self.n_positive)))
        max_bins = min(2 * self.n_rows, _MAX_BINS)
        bins = min(max(_MIN_BINS, fineness * self.n_rows // _ROWS_PER_BIN), max_bins)
        best = 0.0
        while len(bounded := wanted[~is_exact[wanted]]) > _SORT_AT_MOST and bins <= max_bins:
            by_class[bounded], is_exact[bounded] = self._bounds(running, bounded, bins, best)
            areas[bounded] = by_class[bounded].mean(axis=1)
            leader = bounded[areas[bounded].argmax()]
            areas[leader], is_exact[leader] = self._exact(running, leader, by_class[leader]), True
            best = max(best, areas[leader])
            wanted = wanted[areas[wanted] >= best - _TOLERANCE]
            bins *= _REFINEMENT
        for candidate in wanted[np.argsort(-areas[wanted], kind="stable")]:
            if areas[candidate] >= best - _TOLERANCE and not is_exact[candidate]:
                areas[candidate] = self._exact(running, candidate, by_class[candidate], best)
                best = max(best, areas[candidate])
        return areas

    def _bounds(
        self, running: RunningSums, candidates: NDArray[np.intp], bins: int, best: float
    ) -> tuple[Areas, NDArray[np.bool_]]:
        """Greatest areas that candidates can have in each class, and who surely has all pairs in order.

        Class after class is counted, for candidates that may still reach `best`, an area that one of them has.
        """
        binnings = {
            code: _Binning.of(self.quantised[code], sums, self.n_positive[code], bins) for code, sums in running.items()
        }
        max_bins = max(binning.bins for binning in binnings.values())
        step = max(1, min(_HISTOGRAM_VALUES // max(self.n_rows, 2 * max_bins), len(candidates)))
        histograms = _Histograms(step, self.n_rows, max_bins)
        bounds, is_perfect = np.ones((len(candidates), len(binnings))), np.ones(len(candidates), dtype=bool)
        for column, (code, binning) in enumerate(binnings.items()):
            hopeful = np.flatnonzero(bounds.mean(axis=1) >= best - _TOLERANCE)
            histograms.split_at(self.n_positive[code])
            for start in range(0, len(hopeful), step):
                some = hopeful[start : start + step]
                binning.fill(histograms, self.quantised[code].levels, candidates[some])
                bounds[some, column], all_in_order = histograms.areas(len(some), binning.is_coarse)
                is_perfect[some] &= all_in_order
            if not best:
                leader = bounds[:, 0].argmax()
                best = self._exact(running, candidates[leader], bounds[leader])
        return bounds, is_perfect & (bounds == 1.0).all(axis=1)

    def _exact(self, running: RunningSums, candidate: int | np.intp, bounds: Areas, best: float = 0.0) -> float:
        """Area of a candidate; less than `best`, though not less than it is, if that is sure before all is sorted."""
        areas = bounds.copy()
        for column, (code, n_positive) in enumerate(self.n_positive.items()):
            if areas.mean() < best - _TOLERANCE:
                break
            sums = self.outputs[candidate, code][self.orders[code]] + running[code]
            areas[column] = _area(sums[:n_positive], sums[n_positive:])
        return float(areas.mean())


@dataclass(frozen=True, eq=False)
class _QuantisedOutput:
    """One output of all candidates as whole numbers, the rows of its class first.

    Attributes
    ----------
    levels : ndarray of uint16, shape (n_candidates, n_rows)
        How many whole units an output is above `low`.
    low, unit : float
    """

    levels: NDArray[np.uint16]
    low: float
    unit: float

    @classmethod
    def of(cls, values: NDArray[np.float32], order: NDArray[np.intp]) -> _QuantisedOutput:
        low, high = float(values.min()), float(values.max())
        unit = max((high - low) / _LEVELS, float(np.finfo(np.float32).tiny))
        levels = np.zeros(values.shape, dtype=np.uint16)
        if math.isfinite(low + unit):
            # Values are scaled in float64, twice as large as those that chunks are made for.
            for chunk in candidate_chunks(len(values), 2 * len(order)):
                scaled = (values[chunk][:, order] - np.float64(low)) / unit
                np.copyto(levels[chunk], scaled, casting="unsafe")
        return cls(levels, low, unit)


@dataclass(frozen=True, eq=False)
class _Binning:
    """How the sums of an output and the running sum are put into bins.

    Levels are added, and bins are larger than levels by a power of two.

    Attributes
    ----------
    running : ndarray of int32, shape (n_rows,)
        Level of the running sum; two more for positive rows, as either addend may have lost nearly one.
    shift_before, shift_after : int
        Bits to leave out before adding, where the float32 sums do not resolve them, and after it.
    bins : int
    """

    running: NDArray[np.int32]
    shift_before: int
    shift_after: int
    bins: int

    @classmethod
    def of(cls, output: _QuantisedOutput, running: NDArray[np.float32], n_positive: int, bins: int) -> _Binning:
        low, high = float(running.min()), float(running.max())
        span = (high - low) / output.unit + _LEVELS
        greatest = max(abs(low), abs(high)) + abs(output.low) + _LEVELS * output.unit
        # Levels must be far larger than the rounding of the sums that are sorted.
        rounding = 4.0 * float(np.finfo(np.float32).eps) * greatest
        before = max(0, math.ceil(math.log2(max(span / _MAX_LEVELS, rounding / output.unit))))
        levels = np.floor((running.astype(np.float64) - low) / (output.unit * 2.0**before)).astype(np.int32)
        levels[:n_positive] += 2
        highest = int(levels.max()) + (_LEVELS >> before)
        after = max(0, round(math.log2(highest / bins)))
        # Levels have 15 bits: shifted by more, nothing would be left of them either.
        return cls(levels, min(before, 15), after, (highest >> after) + 1)

    @property
    def is_coarse(self) -> bool:
        """A bin has more than the two levels by which positive rows were raised."""
        return self.shift_after >= 2

    def fill(self, histograms: _Histograms, levels: NDArray[np.uint16], candidates: NDArray[np.intp]) -> None:
        """Put some candidates' rows into the histograms; neighbours among the candidates are not copied first."""
        columns, taken = histograms.columns[: len(candidates)], histograms.taken[: len(candidates)]
        first, last = int(candidates[0]), int(candidates[-1])
        if last - first + 1 == len(candidates):
            some = levels[first : last + 1]
        else:
            some = np.take(levels, candidates, axis=0, out=taken, mode="clip")
        if self.shift_before:
            some = np.right_shift(some, self.shift_before, out=taken)
        np.add(some, self.running, out=columns)
        np.right_shift(columns, self.shift_after, out=columns)


class _Histograms:
    """Histograms of several candidates' sums at once, positive and negative rows apart.

    A sparse matrix with a row for each histogram counts while it is made dense, in half the time of
    `numpy.bincount`; it is made once and then given other column numbers.
    """

    def __init__(self, n_candidates: int, n_rows: int, bins: int) -> None:
        # Imported here, as metrics are found by name in processes that score nothing.
        from scipy.sparse import csr_array

        self.n_rows, self.bins = n_rows, bins
        self.taken = np.empty((n_candidates, n_rows), dtype=np.uint16)
        columns = np.zeros(n_candidates * n_rows, dtype=np.int32)
        ends = np.repeat(np.arange(n_candidates + 1, dtype=np.int32) * np.int32(n_rows), 2)[1:]
        shape = (2 * n_candidates, bins)
        self.matrix = csr_array((np.ones(len(columns), dtype=np.int64), columns, ends), shape=shape)
        self.columns = self.matrix.indices.reshape(n_candidates, n_rows)
        self.dense = np.empty(shape, dtype=np.int64)

    def split_at(self, n_positive: int) -> None:
        """Count the first `n_positive` rows apart from the others."""
        self.matrix.indptr[1::2] = self.matrix.indptr[:-1:2] + n_positive
        self.n_pairs = n_positive * (self.n_rows - n_positive)

    def areas(self, n_candidates: int, is_coarse: bool) -> tuple[Areas, NDArray[np.bool_]]:
        """Share of the pairs that may be in order, of the first so many candidates, and whether all surely are.

        With coarse bins, two of them are further apart than positive rows were raised.
        """
        counts = self.matrix.toarray(out=self.dense).reshape(-1, 2, self.bins)[:n_candidates]
        positive, negative_below = counts[:, 0], np.cumsum(counts[:, 1], axis=1)
        ordered = np.einsum("ij,ij->i", positive, negative_below)
        is_perfect = ordered == self.n_pairs
        if is_coarse and is_perfect.any():
            is_perfect &= np.einsum("ij,ij->i", positive[:, 2:], negative_below[:, :-2]) == self.n_pairs
        return ordered / self.n_pairs, is_perfect & is_coarse


def _area(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> float:
    """Area under the curve; sorts its arguments in place."""
    positive.sort()
    negative.sort()
    few, many = (positive, negative) if len(positive) <= len(negative) else (negative, positive)
    not_below = int(np.searchsorted(many, few, side="left").sum()) + int(np.searchsorted(many, few, side="right").sum())
    twice = 2 * len(positive) * len(negative)
    return (not_below if few is positive else twice - not_below) / twice
