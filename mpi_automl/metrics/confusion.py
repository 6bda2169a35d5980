"""Metrics that follow from counts of true and predicted classes, for many candidates at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Values:
    """Divide, with 0 where there is nothing to divide by (as ``zero_division=0`` in scikit-learn)."""
    result = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def _precision(true: Counts, predicted: Counts, right: Counts) -> Values:
    return _ratio(right, predicted)


def _recall(true: Counts, predicted: Counts, right: Counts) -> Values:
    return _ratio(right, true)


def _jaccard(true: Counts, predicted: Counts, right: Counts) -> Values:
    return _ratio(right, true + predicted - right)


def _f(beta: float) -> Callable[[Counts, Counts, Counts], Values]:
    def f(true: Counts, predicted: Counts, right: Counts) -> Values:
        return _ratio((1.0 + beta**2) * right, beta**2 * true + predicted)

    return f


_FAMILIES: dict[str, Callable[[Counts, Counts, Counts], Values]] = {
    "precision": _precision,
    "recall": _recall,
    "jaccard": _jaccard,
    "f1": _f(1.0),
    "f2": _f(2.0),
    "f0.5": _f(0.5),
}
_AVERAGES = ("", "macro", "micro", "weighted")


def _matthews(true: Counts, predicted: Counts, right: Counts) -> Values:
    rows, chance = _rows_and_chance(true, predicted)
    spread = (rows**2 - (predicted.astype(float) ** 2).sum(axis=1)) * (rows**2 - (true.astype(float) ** 2).sum(axis=1))
    return _ratio(right.sum(axis=1) * rows - chance, np.sqrt(spread))


def _kappa(true: Counts, predicted: Counts, right: Counts) -> Values:
    rows, chance = _rows_and_chance(true, predicted)
    return _ratio(right.sum(axis=1) * rows - chance, rows**2 - chance)


def _rows_and_chance(true: Counts, predicted: Counts) -> tuple[Values, Values]:
    return true.sum(axis=1).astype(float), (true.astype(float) * predicted).sum(axis=1)


def from_counts(name: str, multilabel: bool) -> Callable[[Counts, Counts, Counts], Values] | None:
    """Find the function that computes a metric from counts, or None if it does not follow from them.

    Parameters
    ----------
    name : str
        Precision, recall, Jaccard or F (of the second class or averaged), Matthews' correlation or kappa.
    multilabel : bool
        Labels count in a macro average even where no row has them.

    Returns
    -------
    callable or None
        Takes the rows that are of each class truly, by prediction, and both, each of shape
        (n_candidates, n_classes); returns values of shape (n_candidates,).
    """
    if name in ("matthews_corrcoef", "cohen_kappa"):
        return None if multilabel else {"matthews_corrcoef": _matthews, "cohen_kappa": _kappa}[name]
    family, _, average = name.partition("_")
    if family not in _FAMILIES or average not in _AVERAGES:
        return None
    function = _FAMILIES[family]

    def values(true: Counts, predicted: Counts, right: Counts) -> Values:
        if average == "micro":
            return function(true.sum(axis=1), predicted.sum(axis=1), right.sum(axis=1))
        by_class = function(true, predicted, right)
        if average == "":
            return by_class[:, 1]
        if average == "weighted":
            return _ratio((by_class * true).sum(axis=1), true.sum(axis=1))
        counted = (true > 0) | (predicted > 0) | multilabel
        return _ratio((by_class * counted).sum(axis=1), counted.sum(axis=1))

    return values


def accuracy(recognised: Counts, rows: Counts) -> Values:
    """Share of rows that are right, from the right rows of each class, shape (n_candidates, n_classes)."""
    return np.asarray(recognised.sum(axis=1) / rows.sum(), dtype=np.float64)


def balanced_accuracy(recognised: Counts, rows: Counts) -> Values:
    """Mean share of right rows over the classes that have rows."""
    present = rows > 0
    return np.asarray((recognised[:, present] / rows[present]).mean(axis=1), dtype=np.float64)
