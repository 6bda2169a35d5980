"""A share of the features, by a test of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import BINARY_OR_MULTICLASS, Component, Context, Properties
from mpi_automl.space.components import _univariate_tests
from mpi_automl.space.hyperparameters import Categorical, Float
from mpi_automl.space.registry import register


@register
class SelectPercentile(Component):
    """Keeps the features with the highest scores of a univariate test."""

    step = "feature_preprocessor"
    name = "select_percentile_classification"
    properties = Properties(tasks=BINARY_OR_MULTICLASS, sparse=True, output_nonnegative="input", preference=39)
    hyperparameters = (
        Float("percentile", 1.0, 99.0, 50.0),
        Categorical("score_func", ("chi2", "f_classif", "mutual_info"), "f_classif"),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the selector."""
        from mpi_automl.space.estimators.feature_selection import SelectShare

        return SelectShare(_univariate_tests.score(values["score_func"], context), percentile=values["percentile"])
