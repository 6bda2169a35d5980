"""Costs of an ensemble with each candidate added, computed for all candidates at once.

A scorer works on a share of the candidates' predictions, the rows of each output together and those of each class
together: as they are read from a run, and copied only where they lie otherwise. `Scorer.costs` is a pure function of
the running sum of the members' predictions. The cost of a candidate does not depend, to the last bit, on which others
are in the share.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.metrics import confusion
from mpi_automl.metrics.chunks import by_output
from mpi_automl.metrics.label_scores import ConfusionScorer, LabelScorer, RecallScorer
from mpi_automl.metrics.log_loss import LogLossScorer
from mpi_automl.metrics.registry import Metric
from mpi_automl.metrics.regression_scores import COMBINATIONS, ResidualScorer, brier_scorer

Share = NDArray[np.float32]
Costs = NDArray[np.float64]
Allowed = NDArray[np.bool_] | None


class Scorer(Protocol):
    """Scores a share of the candidates."""

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """Cost of the ensemble's mean prediction if each candidate were added to it.

        Parameters
        ----------
        total : ndarray of float64, shape (n_rows, n_outputs)
            Sum of the members' predictions.
        members : int
            Number of members so far, repetitions counted.
        allowed : ndarray of bool, shape (n_candidates,), optional
            If given, only the best of these are wanted: another candidate may have any cost that is above theirs.

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
            Infinity where the metric is not defined.
        """


def make_scorer(predictions: Share, y: NDArray[Any], metric: Metric, task_type: TaskType) -> Scorer:
    """Choose the fastest scorer for a metric.

    Parameters
    ----------
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        Copied unless the rows of each output lie together in memory and, for a classification, those of each class
        (`order_by_class`).
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    metric : Metric
    task_type : TaskType
    """
    if not len(predictions):
        return _NoScorer()
    if task_type is TaskType.MULTILABEL:
        return _for_labels(predictions, y, metric)
    if not task_type.is_classification:
        return _for_values(predictions, y, metric, task_type)
    order = order_by_class(y, task_type)
    if order is None:
        return _for_classes(predictions, y, metric, task_type)
    return _Ordered(_for_classes(predictions[:, order], y[order], metric, task_type), order)


def order_by_class(y: NDArray[Any], task_type: TaskType) -> NDArray[np.intp] | None:
    """The order of rows in which those of each class lie together; None where they do, or there are no classes.

    Parameters
    ----------
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    task_type : TaskType
    """
    if not task_type.is_classification or task_type is TaskType.MULTILABEL or (y[1:] >= y[:-1]).all():
        return None
    return np.argsort(y, kind="stable")


def _for_classes(predictions: Share, y: NDArray[Any], metric: Metric, task_type: TaskType) -> Scorer:
    outputs, name = by_output(predictions), metric.name
    if name in ("accuracy", "balanced_accuracy"):
        return RecallScorer(outputs, y, metric)
    if confusion.from_counts(name, multilabel=False):
        return ConfusionScorer(outputs, y, metric)
    if name == "brier_score":
        return brier_scorer(outputs, y, metric)
    if name == "log_loss":
        return LogLossScorer(outputs, y, metric)
    if name == "roc_auc":
        from mpi_automl.metrics.roc_auc import AreaScorer

        return AreaScorer(outputs, y, metric)
    return AnyScorer(predictions, y, metric, task_type)


def _for_labels(predictions: Share, y: NDArray[Any], metric: Metric) -> Scorer:
    if confusion.from_counts(metric.name, multilabel=True):
        return LabelScorer(by_output(predictions), y, metric)
    if metric.name == "brier_score":
        return brier_scorer(by_output(predictions), y, metric)
    return AnyScorer(predictions, y, metric, TaskType.MULTILABEL)


def _for_values(predictions: Share, y: NDArray[Any], metric: Metric, task_type: TaskType) -> Scorer:
    if metric.name in COMBINATIONS and not (metric.name == "r2" and np.ptp(y, axis=0).min() == 0.0):
        return ResidualScorer(by_output(predictions), y.reshape(len(y), -1), metric, COMBINATIONS[metric.name])
    return AnyScorer(predictions, y, metric, task_type)


class _NoScorer:
    """Of a share without candidates."""

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        return np.empty(0)


class _Ordered:
    """A scorer whose rows are in another order than those of the sum it is given."""

    def __init__(self, scorer: Scorer, order: NDArray[np.intp]) -> None:
        self.scorer, self.order = scorer, order

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        return self.scorer.costs(total[self.order], members, allowed)


class AnyScorer:
    """Any metric: one call per candidate."""

    def __init__(self, predictions: Share, y: NDArray[Any], metric: Metric, task_type: TaskType) -> None:
        self.predictions, self.y, self.metric, self.task_type = predictions, y, metric, task_type

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        means = ((total + added) / (members + 1) for added in self.predictions)
        return np.array([defined_cost(self.metric, self.y, self.task_type, mean) for mean in means])


def defined_cost(metric: Metric, y: NDArray[Any], task_type: TaskType, mean: NDArray[np.float64]) -> float:
    """Cost of a prediction, shape (n_rows, n_outputs); infinity where the metric is not defined for it."""
    try:
        cost = metric.cost(y, mean, task_type)
    except ValueError:
        return float("inf")
    return cost if np.isfinite(cost) else float("inf")
