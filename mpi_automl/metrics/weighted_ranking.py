"""ROC AUC and average precision of rows that count several times: sorted once for any number of weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.score_functions import indicators, mean_defined

Floats = NDArray[np.float64]
Weights = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RankingCounts:
    """What counts in the order of the rows.

    Attributes
    ----------
    wins : ndarray of float, shape (n_classes, n_classes)
        Pairs of a row of the first class and one of the second in which the former has the higher probability of the
        first class; ties count one half.
    precision : ndarray of float, shape (n_classes,)
        Average precision of each class; NaN without rows.
    rows : ndarray of int, shape (n_classes,)
    """

    wins: Floats
    precision: Floats
    rows: Weights

    @property
    def areas(self) -> Floats:
        """Area under the ROC curve of each class against the rest; NaN where there is none."""
        return _ratio(self.wins.sum(axis=1) - np.diag(self.wins), self.rows * (self.rows.sum() - self.rows))

    @property
    def pairs(self) -> tuple[Floats, Weights]:
        """Areas under the ROC curve of each pair of classes, NaN where there is none, and rows of the pair."""
        first, second = np.triu_indices(len(self.rows), 1)
        wins = (self.wins[first, second] + self.wins[second, first]) / 2.0
        return _ratio(wins, self.rows[first] * self.rows[second]), self.rows[first] + self.rows[second]


class ClassRanking:
    """Rows in the order of the probability of each class.

    Parameters
    ----------
    y : ndarray of int, shape (n_rows,)
        Class codes.
    predictions : ndarray, shape (n_rows, n_classes)
    """

    def __init__(self, y: NDArray[np.int64], predictions: NDArray[np.floating]) -> None:
        self._present = indicators(y, predictions.shape[1])
        self._orders = [np.argsort(scores, kind="stable") for scores in predictions.T]
        self._starts = [
            np.flatnonzero(np.concatenate([[True], np.diff(scores[order]) != 0]))
            for scores, order in zip(predictions.T, self._orders, strict=True)
        ]

    def counts(self, weights: Weights) -> RankingCounts:
        """The counts of rows each of which counts `weights` times, shape (n_rows,)."""
        rows = weights @ self._present
        wins, precision = np.empty((len(rows), len(rows))), np.full(len(rows), np.nan)
        for code, (order, starts) in enumerate(zip(self._orders, self._starts, strict=True)):
            # Rows of each class at each different probability.
            at = np.add.reduceat(self._present[order] * weights[order, None], starts, axis=0)
            up_to = at.cumsum(axis=0)
            wins[code] = at[:, code] @ (up_to - at / 2.0)
            if rows[code]:
                from_here = rows - up_to + at
                precisions = _ratio(from_here[:, code], from_here.sum(axis=1))
                precision[code] = np.nansum(at[:, code] * precisions) / rows[code]
        return RankingCounts(wins, precision, rows)


def _roc_auc(counts: RankingCounts) -> float:
    return float(counts.areas[1]) if len(counts.rows) == 2 else mean_defined(counts.areas, None)


def _average_precision(counts: RankingCounts) -> float:
    return float(counts.precision[1]) if len(counts.rows) == 2 else mean_defined(counts.precision, None)


RANKING_SCORES: dict[str, Callable[[RankingCounts], float]] = {
    "roc_auc": _roc_auc,
    "roc_auc_weighted": lambda counts: mean_defined(counts.areas, counts.rows),
    "roc_auc_ovo": lambda counts: mean_defined(counts.pairs[0], None),
    "roc_auc_ovo_weighted": lambda counts: mean_defined(*counts.pairs),
    "average_precision": _average_precision,
}
"""The metrics of the package that follow from them, by name."""


def _ratio(numerator: NDArray[np.floating], denominator: Weights) -> Floats:
    result = np.full(len(denominator), np.nan)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result
