"""A regularised linear stacker on out-of-fold predictions (Wolpert, 1992; Breiman, 1996)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.combination import LinearStack, linear_features
from mpi_automl.ensemble.row_folds import fold_numbers
from mpi_automl.metrics.score_functions import CLIP, log_loss
from mpi_automl.trial import TrialKey

_PENALTIES = (100.0, 10.0, 1.0, 0.1)
"""Of the squared coefficients in logistic regression, strongest first."""
_RIDGE_PENALTIES = np.logspace(-2, 4, 13)
_INNER_FOLDS = 3

Array = NDArray[np.float64]


def fit_stack(
    keys: Sequence[TrialKey], predictions: NDArray[np.float32], y: NDArray[Any], task_type: TaskType, seed: int
) -> LinearStack:
    """Fit a linear model from the candidates' predictions to the truth.

    Classes: multinomial logistic regression on log-probabilities. Labels: one logistic regression each, on the
    label's log-odds. Values: ridge regression of what the plain mean of the candidates leaves over, so that a strong
    penalty gives the plain mean. Penalties are chosen by cross-validation.

    Parameters
    ----------
    keys : sequence of TrialKey
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        Out-of-fold predictions.
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    task_type : TaskType
    seed : int
        Of the cross-validation's folds.

    Raises
    ------
    ValueError
        If all rows are of one class.
    """
    if task_type in (TaskType.BINARY, TaskType.MULTICLASS):
        return _stack_classes(keys, predictions, y, fold_numbers(y, task_type, _INNER_FOLDS, seed))
    if task_type is TaskType.MULTILABEL:
        return _stack_labels(keys, predictions, y, fold_numbers(y, task_type, _INNER_FOLDS, seed))
    return _stack_values(keys, predictions, y.reshape(len(y), -1))


def _stack_classes(
    keys: Sequence[TrialKey], predictions: NDArray[np.float32], y: NDArray[Any], folds: NDArray[np.int64]
) -> LinearStack:
    n_candidates, n_rows, n_classes = predictions.shape
    logarithms = linear_features(predictions, "softmax")
    centred = logarithms - logarithms.mean(axis=2, keepdims=True)
    features = centred.transpose(1, 0, 2).reshape(n_rows, n_candidates * n_classes)
    model = _logistic(features, y, folds)
    found, offsets = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        found, offsets = np.vstack([-found / 2, found / 2]), np.concatenate([-offsets / 2, offsets / 2])
    coefficients = np.zeros((n_classes, n_candidates * n_classes))
    # A class without rows keeps a probability next to 0.
    intercept = np.full(n_classes, np.log(CLIP))
    coefficients[model.classes_], intercept[model.classes_] = found, offsets
    centring = np.eye(n_classes) - 1.0 / n_classes
    by_candidate = coefficients.T.reshape(n_candidates, n_classes, n_classes)
    return LinearStack(dict(zip(keys, centring @ by_candidate, strict=True)), intercept, "softmax")


def _stack_labels(
    keys: Sequence[TrialKey], predictions: NDArray[np.float32], y: NDArray[Any], folds: NDArray[np.int64]
) -> LinearStack:
    n_candidates, _, n_labels = predictions.shape
    coefficients = np.zeros((n_candidates, n_labels, n_labels))
    intercept = np.zeros(n_labels)
    for label in range(n_labels):
        coefficients[:, label, label] = 1.0 / n_candidates
        if 0 < y[:, label].sum() < len(y):
            features = linear_features(predictions[:, :, label].T, "sigmoid")
            model = _logistic(features, y[:, label], folds)
            coefficients[:, label, label], intercept[label] = model.coef_[0], model.intercept_[0]
    return LinearStack(dict(zip(keys, coefficients, strict=True)), intercept, "sigmoid")


def _stack_values(keys: Sequence[TrialKey], predictions: NDArray[np.float32], y: NDArray[Any]) -> LinearStack:
    from sklearn.linear_model import RidgeCV

    n_candidates, _, n_outputs = predictions.shape
    coefficients = np.zeros((n_candidates, n_outputs, n_outputs))
    intercept = np.zeros(n_outputs)
    for output in range(n_outputs):
        centre, scale = y[:, output].mean(), y[:, output].std() or 1.0
        features = (predictions[:, :, output].T.astype(np.float64) - centre) / scale
        rest = (y[:, output] - centre) / scale - features.mean(axis=1)
        model = RidgeCV(alphas=_RIDGE_PENALTIES).fit(features, rest)
        own = model.coef_ + 1.0 / n_candidates
        coefficients[:, output, output] = own
        intercept[output] = centre + scale * model.intercept_ - centre * own.sum()
    return LinearStack(dict(zip(keys, coefficients, strict=True)), intercept, "identity")


def _logistic(features: Array, y: NDArray[Any], folds: NDArray[np.int64]) -> Any:
    """Logistic regression with the penalty that has the least cross-validated log loss."""
    losses = [_validated_loss(features, y, folds, penalty) for penalty in _PENALTIES]
    return _fit_logistic(features, y, _PENALTIES[int(np.argmin(losses))])


def _validated_loss(features: Array, y: NDArray[Any], folds: NDArray[np.int64], penalty: float) -> float:
    probabilities = np.zeros((len(y), int(y.max()) + 1))
    for number in range(folds.max() + 1):
        inside = folds == number
        model = _fit_logistic(features[~inside], y[~inside], penalty)
        probabilities[np.ix_(inside, model.classes_)] = model.predict_proba(features[inside])
    return log_loss(y, probabilities)


def _fit_logistic(features: Array, y: NDArray[Any], penalty: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=1.0 / penalty, max_iter=200).fit(features, y)
