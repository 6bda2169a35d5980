"""Scores that scikit-learn lacks, computes in float32, or refuses where a class is absent.

All functions take class codes (shape (n,)), label indicators (n, n_labels) or values as `y`, and predictions
of shape (n, n_outputs) as float64; they return one float, NaN where the score is not defined.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CLIP = float(np.finfo(np.float32).eps)
"""Probabilities are kept this far from 0 and 1 in the log loss: the smallest step below 1 in float32."""


def indicators(y: Array, n_outputs: int) -> NDArray[np.bool_]:
    """One column per class (from codes) or label (from indicators), True where it is present."""
    if y.ndim == 2:
        return np.asarray(y, dtype=bool)
    return np.asarray(y[:, None] == np.arange(n_outputs))


def log_loss(y: Array, predictions: Array) -> float:
    """Negative mean log-probability of the true class; for several labels, the mean over the labels."""
    return float(log_losses(y, predictions).mean())


def log_losses(y: Array, predictions: Array) -> Array:
    """The `log_loss` of each row, shape (n,)."""
    clipped = np.clip(predictions, CLIP, 1.0 - CLIP)
    if y.ndim == 2:
        return np.asarray(-np.log(np.where(y, clipped, 1.0 - clipped)).mean(axis=1))
    return np.asarray(-np.log(clipped[np.arange(len(y)), y]))


def brier_score(y: Array, predictions: Array) -> float:
    """Mean squared difference of probabilities and outcomes.

    Summed over the classes where there are more than two, as Brier (1950) has it; of the second class alone
    where there are two; the mean over the labels where there are several.
    """
    return float(brier_scores(y, predictions).mean())


def brier_scores(y: Array, predictions: Array) -> Array:
    """The `brier_score` of each row, shape (n,)."""
    squared = (predictions - indicators(y, predictions.shape[1])) ** 2
    if y.ndim == 2:
        return np.asarray(squared.mean(axis=1))
    return np.asarray(squared.sum(axis=1) / (2.0 if predictions.shape[1] == 2 else 1.0))


def _class_shares(y: Array, predictions: Array) -> Array:
    shares = np.bincount(y, minlength=predictions.shape[1]) / len(y)
    return np.broadcast_to(shares, predictions.shape)


def d2_log_loss(y: Array, predictions: Array) -> float:
    """Share of the log loss of constant class shares that the predictions explain away."""
    return _explained(log_loss(y, predictions), log_loss(y, _class_shares(y, predictions)))


def d2_brier(y: Array, predictions: Array) -> float:
    """Share of the Brier score of constant class shares that the predictions explain away."""
    return _explained(brier_score(y, predictions), brier_score(y, _class_shares(y, predictions)))


def _explained(loss: float, constant: float) -> float:
    return 1.0 - loss / constant if constant > 0.0 else float("nan")


def binary_auc(positive: NDArray[np.bool_], scores: Array) -> float:
    """Area under the ROC curve as the Mann-Whitney statistic; ties count one half."""
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    rank_sum = float(rankdata(scores)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2.0) / (n_positive * n_negative)


def roc_auc(y: Array, predictions: Array, weighted: bool = False) -> float:
    """Area under the ROC curve; with several classes or labels, the mean of each one against the rest.

    Classes that have no row, or every row, are left out of the mean; `weighted` weighs the others by
    their rows.
    """
    present = indicators(y, predictions.shape[1])
    if y.ndim == 1 and predictions.shape[1] == 2:
        return binary_auc(present[:, 1], predictions[:, 1])
    areas = np.array([binary_auc(column, scores) for column, scores in zip(present.T, predictions.T, strict=True)])
    return mean_defined(areas, present.sum(axis=0) if weighted else None)


def roc_auc_ovo(y: Array, predictions: Array, weighted: bool = False) -> float:
    """Mean of the areas under the ROC curve over pairs of classes (Hand and Till, 2001).

    `weighted` weighs a pair by its rows.
    """
    areas, rows = [], []
    n_classes = predictions.shape[1]
    for first in range(n_classes):
        for second in range(first + 1, n_classes):
            of_pair = (y == first) | (y == second)
            is_first, scores = y[of_pair] == first, predictions[of_pair]
            areas.append((binary_auc(is_first, scores[:, first]) + binary_auc(~is_first, scores[:, second])) / 2.0)
            rows.append(int(of_pair.sum()))
    return mean_defined(np.array(areas), np.array(rows) if weighted else None)


def average_precision(y: Array, predictions: Array) -> float:
    """Average precision; with several classes or labels, the mean over those that have rows."""
    from sklearn.metrics import average_precision_score

    present = indicators(y, predictions.shape[1])
    columns = [1] if y.ndim == 1 and predictions.shape[1] == 2 else range(predictions.shape[1])
    values = [
        average_precision_score(present[:, column], predictions[:, column]) if present[:, column].any() else np.nan
        for column in columns
    ]
    return mean_defined(np.array(values), None)


def top_k_accuracy(y: Array, predictions: Array, k: int) -> float:
    """Share of rows whose true class is among the `k` most probable ones; ties go to the first class."""
    return float(top_k_hits(y, predictions, k).mean())


def top_k_hits(y: Array, predictions: Array, k: int) -> Array:
    """Whether the true class of each row is among the `k` most probable ones, shape (n,)."""
    best = np.argsort(-predictions, axis=1, kind="stable")[:, :k]
    return np.asarray((best == y[:, None]).any(axis=1))


def balanced_accuracy(y: Array, labels: Array) -> float:
    """Mean over the classes that have rows of the share of their rows that is recognised."""
    rows = np.bincount(y)
    recognised = np.bincount(y[y == labels], minlength=len(rows))
    return float((recognised[rows > 0] / rows[rows > 0]).mean())


def accuracy(y: Array, labels: Array) -> float:
    """Share of rows that are right; with several labels, in all of them."""
    return float(right_rows(y, labels).mean())


def right_rows(y: Array, labels: Array) -> Array:
    """Whether each row is right, shape (n,)."""
    right = np.asarray(y == labels)
    return np.asarray(right.all(axis=1)) if right.ndim == 2 else right


def wrong_rows(y: Array, labels: Array) -> Array:
    """Whether each row is wrong, shape (n,)."""
    return ~right_rows(y, labels)


def wrong_shares(y: Array, labels: Array) -> Array:
    """Share of the labels of each row that are wrong, shape (n,)."""
    return np.asarray((y != labels).reshape(len(y), -1).mean(axis=1))


def mean_defined(values: Array, weights: Array | None) -> float:
    """Mean of the values that are not NaN; NaN without any."""
    defined = ~np.isnan(values)
    if not defined.any():
        return float("nan")
    return float(np.average(values[defined], weights=None if weights is None else weights[defined]))
