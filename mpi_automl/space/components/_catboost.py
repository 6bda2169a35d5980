"""What both CatBoost components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.kind import MetricKind
from mpi_automl.space.component import Context
from mpi_automl.space.hyperparameters import Categorical, Float, Integer

HYPERPARAMETERS = (
    Integer("depth", 4, 8, 6),
    Categorical("grow_policy", ("SymmetricTree", "Depthwise")),
    Float("l2_leaf_reg", 1e-4, 5.0, 3.0, log=True),
    Integer("leaf_estimation_iterations", 1, 20, 5, log=True),
    Float("learning_rate", 5e-3, 0.2, 0.1, log=True),
    Float("subsample", 0.7, 1.0, 0.8),
)
"""Ranges of TabArena (arXiv 2506.16791), the learning rate up to 0.2: an iteration of CatBoost is slow."""
CATEGORICAL = (
    Integer("max_ctr_complexity", 1, 5, 1),
    Float("model_size_reg", 0.1, 1.5, 0.5, log=True),
    Integer("one_hot_max_size", 2, 100, 10, log=True),
)
"""For tables with categories; TabArena's ranges, widened to what is fast."""


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of CatBoost's learners, which leave no files behind."""
    idle = set() if context.categories else _OF_CATEGORIES
    if context.metric_kind is MetricKind.ABSOLUTE:
        # The leaves of an absolute error are exact after one step.
        idle = idle | {"leaf_estimation_iterations"}
    chosen = {name: value for name, value in values.items() if name not in idle}
    return {
        **chosen,
        **_watched(context),
        "bootstrap_type": "Bernoulli",
        "thread_count": context.threads,
        "random_seed": context.seed,
        "allow_writing_files": False,
        "verbose": False,
    }


_OF_CATEGORIES = {hyperparameter.name for hyperparameter in CATEGORICAL}


def _watched(context: Context) -> dict[str, str]:
    """The loss that early stopping watches, and the objective where the metric asks for another one."""
    task = context.profile.task_type
    if not task.is_classification:
        absolute = context.metric_kind is MetricKind.ABSOLUTE
        return {"loss_function": "MAE", "eval_metric": "MAE"} if absolute else {"eval_metric": "RMSE"}
    return {"eval_metric": "AUC"} if task is TaskType.BINARY and context.metric_kind is MetricKind.RANKING else {}
