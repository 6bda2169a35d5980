"""What both LightGBM components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.kind import MetricKind
from mpi_automl.space.component import Context
from mpi_automl.space.components._boosting_packages import RATE
from mpi_automl.space.hyperparameters import Float, Integer, flag

HYPERPARAMETERS = (
    Float("bagging_fraction", 0.7, 1.0, 1.0),
    flag("extra_trees", False),
    Float("feature_fraction", 0.4, 1.0, 1.0),
    Float("lambda_l1", 1e-5, 1.0, 1e-5, log=True),
    Float("lambda_l2", 1e-5, 2.0, 1e-5, log=True),
    Float("learning_rate", *RATE, log=True),
    Integer("min_data_in_leaf", 1, 64, 20, log=True),
    Integer("num_leaves", 2, 200, 31, log=True),
)
"""Ranges of TabArena (arXiv 2506.16791)."""
CATEGORICAL = (
    Float("cat_l2", 5e-3, 10.0, 10.0, log=True),
    Float("cat_smooth", 1e-3, 100.0, 10.0, log=True),
    Integer("max_cat_to_onehot", 4, 100, 4, log=True),
    Integer("min_data_per_group", 2, 100, 100, log=True),
)
"""For tables with categories; TabArena's ranges, widened to LightGBM's defaults."""


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of LightGBM's learners."""
    return {
        **values,
        **_watched(context),
        "bagging_freq": 1 if values["bagging_fraction"] < 1.0 else 0,
        "n_jobs": context.threads,
        "random_state": context.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }


def _watched(context: Context) -> dict[str, str]:
    """The loss that early stopping watches, and the objective where the metric asks for another one."""
    task = context.profile.task_type
    if not task.is_classification:
        return {"objective": "regression_l1"} if context.metric_kind is MetricKind.ABSOLUTE else {}
    return {"metric": "auc"} if task is TaskType.BINARY and context.metric_kind is MetricKind.RANKING else {}
