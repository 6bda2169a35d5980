"""What decision trees and forests have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import CLASSIFICATION, REGRESSION, Context, Properties, StagedFitting
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, Integer, flag

TREES = StagedFitting("n_estimators", 256)
"""Half of auto-sklearn's: a member of an ensemble gains next to nothing from the second half."""
LEAVES = (Integer("min_samples_leaf", 1, 20, 1), Integer("min_samples_split", 2, 20, 2))
CLASSES = Categorical("criterion", ("gini", "entropy"))
VALUES = Categorical("criterion", ("squared_error", "absolute_error"))
MAX_ROWS_ABSOLUTE_ERROR = 5_000
"""Splitting by the absolute error sorts at every node and is slower by orders of magnitude."""


def forest_properties(*, classification: bool, preference: int) -> Properties:
    """Forests take everything: several outputs, sparse matrices, missing values, weights."""
    return Properties(
        tasks=CLASSIFICATION if classification else REGRESSION,
        sparse=True,
        missing=True,
        sample_weight=True,
        nonlinear=True,
        staged_fitting=TREES,
        preference=preference,
    )


def classifier_hyperparameters(*, bootstrap: bool) -> tuple[Hyperparameter, ...]:
    """Of a forest of classification trees, with the default for bootstrap."""
    return (flag("bootstrap", bootstrap), CLASSES, Float("max_features", 0.0, 1.0, 0.5), *LEAVES)


def regressor_hyperparameters(*, bootstrap: bool) -> tuple[Hyperparameter, ...]:
    """Of a forest of regression trees, with the default for bootstrap."""
    return (flag("bootstrap", bootstrap), VALUES, Float("max_features", 0.1, 1.0, 1.0), *LEAVES)


def for_size(hyperparameters: tuple[Hyperparameter, ...], profile: Profile) -> tuple[Hyperparameter, ...]:
    """Without the absolute error as criterion where the table is large."""
    if profile.n_rows <= MAX_ROWS_ABSOLUTE_ERROR:
        return hyperparameters
    return tuple(h for h in hyperparameters if h is not VALUES)


def forest_arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of scikit-learn's forests, for staged fitting by ``warm_start``."""
    return {
        **values,
        "n_estimators": TREES.maximum,
        "warm_start": True,
        "n_jobs": context.threads,
        "random_state": context.seed,
    }


def feature_share(exponent: float, profile: Profile) -> float:
    """The share of features that each split considers, from an exponent.

    ``n ** exponent`` of n features are considered: 0.5 is the square root, 1 is all of them. The share is
    that of the table's columns and stays the same where a preprocessor changes their number.
    """
    return float(max(1, profile.n_columns) ** (exponent - 1.0))


DEPTH = Float("max_depth_factor", 0.1, 2.0, 1.0)
BOOSTED = (
    Float("learning_rate", 0.01, 2.0, 0.1, log=True),
    Integer("max_depth", 1, 10, 1),
    Integer("n_estimators", 50, 500, 50),
)


def tree_arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of scikit-learn's trees; the depth is a factor of the number of columns."""
    chosen = {name: value for name, value in values.items() if name != "max_depth_factor"}
    depth = max(1, round(values["max_depth_factor"] * context.profile.n_columns))
    return {**chosen, "max_depth": depth, "random_state": context.seed}
