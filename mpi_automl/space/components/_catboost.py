"""What both CatBoost components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Context
from mpi_automl.space.components import _boosting_packages
from mpi_automl.space.hyperparameters import Float, Integer

HYPERPARAMETERS = (
    Float("bagging_temperature", 0.0, 1.0, 1.0),
    Integer("depth", 2, 10, 6),
    Float("l2_leaf_reg", 0.1, 30.0, 3.0, log=True),
    Float("learning_rate", 0.01, 0.5, 0.1, log=True),
    Float("random_strength", 1e-3, 10.0, 1.0, log=True),
)


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of CatBoost's learners, which leave no files behind."""
    return {
        **values,
        "bootstrap_type": "Bayesian",
        "iterations": _boosting_packages.TREES,
        "thread_count": context.threads,
        "random_seed": context.seed,
        "allow_writing_files": False,
        "verbose": False,
    }
