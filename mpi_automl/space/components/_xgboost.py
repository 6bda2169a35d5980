"""What both XGBoost components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.kind import MetricKind
from mpi_automl.space.component import Context
from mpi_automl.space.components._boosting_packages import RATE
from mpi_automl.space.hyperparameters import Categorical, Float, Integer

HYPERPARAMETERS = (
    Float("colsample_bylevel", 0.6, 1.0, 1.0),
    Float("colsample_bynode", 0.6, 1.0, 1.0),
    Categorical("grow_policy", ("depthwise", "lossguide")),
    Float("learning_rate", *RATE, log=True),
    Integer("max_depth", 4, 10, 6, log=True),
    Integer("max_leaves", 8, 1024, 1024, log=True),
    Float("min_child_weight", 1e-3, 5.0, 1.0, log=True),
    Float("reg_alpha", 1e-4, 5.0, 1e-4, log=True),
    Float("reg_lambda", 1e-4, 5.0, 1.0, log=True),
    Float("subsample", 0.6, 1.0, 1.0),
)
"""Ranges of TabArena (arXiv 2506.16791)."""


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of XGBoost's learners, which see category codes as numbers."""
    return {
        **values,
        **_watched(context),
        "tree_method": "hist",
        "n_jobs": context.threads,
        "random_state": context.seed,
        "verbosity": 0,
    }


def _watched(context: Context) -> dict[str, str]:
    """The loss that early stopping watches, and the objective where the metric asks for another one."""
    task = context.profile.task_type
    if not task.is_classification:
        return {"objective": "reg:absoluteerror"} if context.metric_kind is MetricKind.ABSOLUTE else {}
    return {"eval_metric": "auc"} if task is TaskType.BINARY and context.metric_kind is MetricKind.RANKING else {}
