"""What a metric asks of predictions, in the few kinds that learners and portfolios tell apart."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from mpi_automl.metrics.metric import Needs

if TYPE_CHECKING:
    from mpi_automl.data.task import TaskType
    from mpi_automl.metrics.metric import Metric

_RANKING = ("roc_auc", "average_precision", "ndcg", "label_ranking")
_ABSOLUTE = ("mean_absolute", "median_absolute", "d2_absolute")


class MetricKind(str, Enum):
    """What counts in predictions."""

    RANKING = "ranking"
    """The order of probabilities."""
    PROBABILITY = "probability"
    LABEL = "label"
    """Decided classes or labels."""
    SQUARED = "squared"
    """Squared errors of numbers, and whatever else is not absolute."""
    ABSOLUTE = "absolute"


def metric_kind(metric: Metric, task_type: TaskType) -> MetricKind:
    """The kind of a metric on targets of a type."""
    if not task_type.is_classification:
        return MetricKind.ABSOLUTE if metric.name.startswith(_ABSOLUTE) else MetricKind.SQUARED
    if metric.name.startswith(_RANKING):
        return MetricKind.RANKING
    return MetricKind.LABEL if metric.needs is Needs.LABELS else MetricKind.PROBABILITY
