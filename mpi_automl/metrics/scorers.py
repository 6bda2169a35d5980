"""Costs of an ensemble with each candidate added, computed for all candidates at once.

A scorer works on a share of the candidates' predictions, the rows of each output together and those of each class
together: as they are read from a run, and copied only where they lie otherwise. Which fast scorer a metric has is
declared in `mpi_automl.metrics.catalogue`. The cost of a candidate does not depend, to the last bit, on which others
are in the share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.chunks import by_output
from mpi_automl.metrics.metric import Allowed, Costs, Metric, Scorer


def make_scorer(predictions: NDArray[np.float32], y: NDArray[Any], metric: Metric, task_type: TaskType) -> Scorer:
    """The fast scorer that the metric declares for the task type; else one that calls the metric.

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
        return GeneralScorer(predictions, y, metric, task_type)
    order = order_by_class(y, task_type)
    if order is not None:
        return _ReorderedScorer(make_scorer(predictions[:, order], y[order], metric, task_type), order)
    factory = metric.fast_scorers.get(task_type)
    fast = None if factory is None else factory(by_output(predictions), y, metric)
    return GeneralScorer(predictions, y, metric, task_type) if fast is None else fast


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


class _ReorderedScorer:
    """A scorer whose rows are in another order than those of the sum it is given."""

    def __init__(self, scorer: Scorer, order: NDArray[np.intp]) -> None:
        self.scorer, self.order = scorer, order

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        return self.scorer.costs(total[self.order], members, allowed)


class GeneralScorer:
    """Any metric: its function is called once for each candidate."""

    def __init__(self, predictions: NDArray[np.float32], y: NDArray[Any], metric: Metric, task_type: TaskType) -> None:
        self.predictions, self.y, self.metric, self.task_type = predictions, y, metric, task_type

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        means = ((total + added) / (members + 1) for added in self.predictions)
        return np.array([defined_cost(self.metric, self.y, self.task_type, mean) for mean in means])


def defined_cost(metric: Metric, y: NDArray[Any], task_type: TaskType, mean: NDArray[np.float64]) -> float:
    """Cost of a prediction, shape (n_rows, n_outputs); infinity where the metric is not defined for it."""
    try:
        cost = metric.cost(y, mean, task_type)
    except ValueError:
        return float("inf")
    return cost if np.isfinite(cost) else float("inf")
