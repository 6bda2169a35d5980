"""Features that pass a univariate test at a certain error rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import SINGLE_REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _univariate_tests
from mpi_automl.space.hyperparameters import Categorical, Float
from mpi_automl.space.registry import register


@register
class SelectRates(Component):
    """Keeps features by false positive, false discovery or family-wise error rate."""

    step = "feature_preprocessor"
    name = "select_rates_regression"
    properties = Properties(tasks=SINGLE_REGRESSION, sparse=True, output_nonnegative="input", preference=40)
    hyperparameters = (
        Float("alpha", 0.01, 0.5, 0.1),
        Categorical("mode", ("fpr", "fdr", "fwe")),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the selector; at least one feature is kept."""
        from mpi_automl.space.estimators.feature_selection import SelectByRate

        return SelectByRate(
            _univariate_tests.score("f_regression", context), mode=values["mode"], param=values["alpha"]
        )
