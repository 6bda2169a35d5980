"""Metrics that follow from counts of true and predicted classes, for many candidates at once.

A `CountScore` takes the rows that are of each class truly, by prediction, and both, each of shape
(n_candidates, n_classes). `averaged` makes one value for each candidate of those that have one for each class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
CountScore = Callable[[Counts, Counts, Counts], Values]


def precision(true: Counts, predicted: Counts, correct: Counts) -> Values:
    """Share of the rows predicted for a class that are of it, shape (n_candidates, n_classes)."""
    return _ratio(correct, predicted)


def recall(true: Counts, predicted: Counts, correct: Counts) -> Values:
    """Share of the rows of a class that are predicted for it, shape (n_candidates, n_classes)."""
    return _ratio(correct, true)


def jaccard(true: Counts, predicted: Counts, correct: Counts) -> Values:
    """Rows of a class predicted for it, among those of it or predicted for it, shape (n_candidates, n_classes)."""
    return _ratio(correct, true + predicted - correct)


def f_score(beta: float) -> CountScore:
    """The F score of each class, in which recall counts `beta` times as much as precision."""

    def f(true: Counts, predicted: Counts, correct: Counts) -> Values:
        return _ratio((1.0 + beta**2) * correct, beta**2 * true + predicted)

    return f


def averaged(score: CountScore, average: str, *, every_class: bool = False) -> CountScore:
    """The score with one value for each candidate, shape (n_candidates,).

    Parameters
    ----------
    score : CountScore
        With a value for each class.
    average : {"binary", "micro", "macro", "weighted"}
        As in scikit-learn; ``binary`` is the value of the second class.
    every_class : bool
        A macro average counts classes without rows too, as scikit-learn does with labels.
    """

    def values(true: Counts, predicted: Counts, correct: Counts) -> Values:
        if average == "micro":
            return score(true.sum(axis=1), predicted.sum(axis=1), correct.sum(axis=1))
        by_class = score(true, predicted, correct)
        if average == "binary":
            return by_class[:, 1]
        if average == "weighted":
            return _ratio((by_class * true).sum(axis=1), true.sum(axis=1))
        counted = (true > 0) | (predicted > 0) | every_class
        return _ratio((by_class * counted).sum(axis=1), counted.sum(axis=1))

    return values


def of_rows(y: NDArray[Any], labels: NDArray[Any], score: CountScore, nothing: float) -> Values:
    """The score of each row by its own labels, shape (n_rows,); `nothing` where it has none and none is predicted."""
    true, predicted, correct = (part.sum(axis=1, keepdims=True) for part in (y, labels, y * labels))
    return np.where(true + predicted > 0, score(true, predicted, correct), nothing)[:, 0]


def matthews_corrcoef(true: Counts, predicted: Counts, correct: Counts) -> Values:
    """Matthews' correlation coefficient, shape (n_candidates,)."""
    rows, chance = _rows_and_chance(true, predicted)
    spread = (rows**2 - (predicted.astype(float) ** 2).sum(axis=1)) * (rows**2 - (true.astype(float) ** 2).sum(axis=1))
    return _ratio(correct.sum(axis=1) * rows - chance, np.sqrt(spread))


def cohen_kappa(true: Counts, predicted: Counts, correct: Counts) -> Values:
    """Cohen's kappa, shape (n_candidates,)."""
    rows, chance = _rows_and_chance(true, predicted)
    return _ratio(correct.sum(axis=1) * rows - chance, rows**2 - chance)


def accuracy(correct: Counts, rows: Counts) -> Values:
    """Share of correct rows, from those of each class, shape (n_candidates, n_classes), and all of each class."""
    return np.asarray(correct.sum(axis=1) / rows.sum(), dtype=np.float64)


def balanced_accuracy(correct: Counts, rows: Counts) -> Values:
    """Mean share of correct rows over the classes that have rows; arguments as for `accuracy`."""
    present = rows > 0
    return np.asarray((correct[:, present] / rows[present]).mean(axis=1), dtype=np.float64)


def _rows_and_chance(true: Counts, predicted: Counts) -> tuple[Values, Values]:
    return true.sum(axis=1).astype(float), (true.astype(float) * predicted).sum(axis=1)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Values:
    """Divide, with 0 where there is nothing to divide by (as ``zero_division=0`` in scikit-learn)."""
    result = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result
