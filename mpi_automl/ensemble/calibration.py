"""Temperature scaling of an ensemble's probabilities (Guo, Pleiss, Sun and Weinberger, ICML 2017).

The scaling is fitted on out-of-fold predictions by the log loss, whatever the metric of the run. It is used only where
it pays on rows that it was not fitted on, and does not make the run's own metric worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.row_folds import fold_numbers
from mpi_automl.ensemble.scaling import LogitScaling, log_probabilities, softmax
from mpi_automl.metrics.metric import Metric, Needs
from mpi_automl.metrics.score_functions import CLIP

_LEAST_ROWS = 50
_MOST_ROWS = 5_000
"""Rows to fit on: more than a few parameters need."""
_CHECK_FOLDS = 5
_HOTTEST = 30.0
"""Bound of the temperature and of its inverse: boosting of weak learners may give only probabilities near one half."""
_LARGEST_BIAS = 8.0
_PENALTY = 1.0
"""Of the squares of the biases and of the temperature's logarithm, in rows: so few rows decide nothing."""
_TOLERANCE = 1e-6
"""By which the run's metric may get worse, as probabilities are rounded."""

Array = NDArray[np.float64]


def calibrate(
    probabilities: Array, y: NDArray[Any], metric: Metric, task_type: TaskType, seed: int
) -> LogitScaling | None:
    """Fit a scaling of probabilities of classes; None where it does not pay.

    The scaling has a bias for each class, which undoes class weights, where the metric takes probabilities of two
    classes, as then neither the order of rows nor a decision that the metric sees depends on it.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_rows, n_classes)
        Out-of-fold.
    y : ndarray, shape (n_rows,)
    metric : Metric
        Of the run, which must not get worse.
    task_type : TaskType
    seed : int
        Of the folds of the check.
    """
    if task_type not in (TaskType.BINARY, TaskType.MULTICLASS) or len(y) < _LEAST_ROWS:
        return None
    some = slice(None, None, -(-len(y) // _MOST_ROWS))
    problem = _Problem(log_probabilities(probabilities[some]), y[some])
    folds = fold_numbers(problem.y, task_type, _CHECK_FOLDS, seed)
    can_be_biased = task_type is TaskType.BINARY and metric.needs is not Needs.LABELS
    for biased in (True, False) if can_be_biased else (False,):
        scaling = problem.fit(biased)
        if problem.gain(biased, folds) > 0.0 and _keeps(metric, y, probabilities, scaling(probabilities), task_type):
            return scaling
    return None


def _keeps(metric: Metric, y: NDArray[Any], before: Array, after: Array, task_type: TaskType) -> bool:
    """Whether the metric does not get worse."""
    return bool(metric.cost(y, after, task_type) <= metric.cost(y, before, task_type) + _TOLERANCE)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rows to fit a scaling on.

    Attributes
    ----------
    logits : ndarray of float64, shape (n_rows, n_classes)
        Logarithms of the probabilities.
    y : ndarray, shape (n_rows,)
    """

    logits: Array
    y: NDArray[Any]

    def where(self, kept: NDArray[np.bool_]) -> _Problem:
        """Some of the rows."""
        return _Problem(self.logits[kept], self.y[kept])

    def fit(self, biased: bool) -> LogitScaling:
        """The scaling with the least penalised log loss; the first class has no bias."""
        from scipy.optimize import minimize

        n_biases = self.logits.shape[1] - 1 if biased else 0
        widest = np.log(_HOTTEST), _LARGEST_BIAS
        bounds = [(-widest[0], widest[0]), *[(-widest[1], widest[1])] * n_biases]
        found = minimize(self._loss, np.zeros(1 + n_biases), jac=True, method="L-BFGS-B", bounds=bounds).x
        biases = (0.0, *found[1:].tolist()) if biased else ()
        return LogitScaling(float(np.exp(found[0])), biases)

    def _loss(self, parameters: Array) -> tuple[float, Array]:
        """Mean log loss with the penalty, and its gradient; the parameters are log-temperature and biases."""
        scaled = self.logits * np.exp(-parameters[0])
        logits = scaled + np.append(0.0, parameters[1:]) if len(parameters) > 1 else scaled
        rows = np.arange(len(self.y))
        rest = softmax(logits)
        losses = -np.log(np.maximum(rest[rows, self.y], np.finfo(float).tiny))
        rest[rows, self.y] -= 1.0
        slopes = np.append(-(rest * scaled).sum(axis=1).mean(), rest.mean(axis=0)[1:][: len(parameters) - 1])
        weight = _PENALTY / len(self.y)
        return float(losses.mean() + weight * parameters @ parameters), slopes + 2.0 * weight * parameters

    def losses(self, scaling: LogitScaling | None) -> Array:
        """Log loss of each row."""
        probabilities = np.exp(self.logits) if scaling is None else scaling(np.exp(self.logits))
        return np.asarray(-np.log(np.clip(probabilities[np.arange(len(self.y)), self.y], CLIP, 1.0 - CLIP)))

    def gain(self, biased: bool, folds: NDArray[np.int64]) -> float:
        """By how much scaling lowers the mean log loss of rows that it was not fitted on."""
        gains = [
            self.where(folds == number).losses(None)
            - self.where(folds == number).losses(self.where(folds != number).fit(biased))
            for number in range(_CHECK_FOLDS)
        ]
        return float(np.concatenate(gains).mean())
