"""What both XGBoost components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Context
from mpi_automl.space.components import _boosting_packages
from mpi_automl.space.hyperparameters import Categorical, Float, Integer

HYPERPARAMETERS = (
    Categorical("booster", ("gbtree", "dart")),
    Float("colsample_bytree", 0.3, 1.0, 1.0),
    Float("gamma", 1e-8, 10.0, 1e-8, log=True),
    Float("learning_rate", 0.01, 0.5, 0.1, log=True),
    Integer("max_depth", 1, 12, 6),
    Float("min_child_weight", 0.1, 100.0, 1.0, log=True),
    Float("reg_alpha", 1e-8, 10.0, 1e-8, log=True),
    Float("reg_lambda", 1e-3, 10.0, 1.0, log=True),
    Float("subsample", 0.4, 1.0, 1.0),
)


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of XGBoost's learners."""
    return {
        **values,
        "n_estimators": _boosting_packages.TREES,
        "tree_method": "hist",
        "n_jobs": context.threads,
        "random_state": context.seed,
        "verbosity": 0,
    }
