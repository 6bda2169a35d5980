"""What both LightGBM components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Context
from mpi_automl.space.components import _boosting_packages
from mpi_automl.space.hyperparameters import Categorical, Float, Integer

HYPERPARAMETERS = (
    Categorical("boosting_type", ("gbdt", "dart")),
    Float("colsample_bytree", 0.3, 1.0, 1.0),
    Float("learning_rate", 0.01, 0.5, 0.1, log=True),
    Integer("min_child_samples", 1, 200, 20, log=True),
    Integer("num_leaves", 3, 1023, 31, log=True),
    Float("reg_alpha", 1e-8, 10.0, 1e-8, log=True),
    Float("reg_lambda", 1e-8, 10.0, 1e-8, log=True),
    Float("subsample", 0.4, 1.0, 1.0),
)


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of LightGBM's learners; category columns are named to them."""
    categories = {"categorical_feature": list(context.categories)} if context.categories else {}
    return {
        **values,
        **categories,
        "subsample_freq": 1 if values["subsample"] < 1.0 else 0,
        "n_estimators": _boosting_packages.TREES,
        "n_jobs": context.threads,
        "random_state": context.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
