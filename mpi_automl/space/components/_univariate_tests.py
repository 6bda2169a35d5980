"""Univariate tests for the selection of features."""

from __future__ import annotations

from functools import partial
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import Context


def score(name: str, context: Context) -> Any:
    """The function that scores features, by the name of a hyperparameter's value."""
    from sklearn.feature_selection import f_classif, f_regression, mutual_info_classif, mutual_info_regression

    from mpi_automl.space.estimators.feature_selection import chi2_of_amounts

    if name == "mutual_info":
        regression = context.profile.task_type is TaskType.REGRESSION
        return partial(mutual_info_regression if regression else mutual_info_classif, random_state=context.seed)
    return {"chi2": chi2_of_amounts, "f_classif": f_classif, "f_regression": f_regression}[name]
