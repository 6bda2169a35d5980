"""Histogram gradient boosting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _histogram_boosting
from mpi_automl.space.registry import register


@register
class GradientBoosting(Component):
    """Boosted trees on binned features, which take missing values and category codes as they are."""

    step = "regressor"
    name = "gradient_boosting"
    properties = Properties(
        tasks=REGRESSION,
        one_per_output=frozenset({TaskType.MULTIOUTPUT}),
        missing=True,
        categories=True,
        sample_weight=True,
        nonlinear=True,
        staged_fitting=_histogram_boosting.ITERATIONS,
        preference=20,
    )
    hyperparameters = _histogram_boosting.HYPERPARAMETERS

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(**_histogram_boosting.arguments(values, context))
