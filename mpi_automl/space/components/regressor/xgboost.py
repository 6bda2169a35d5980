"""XGBoost's gradient boosting, if the package is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _boosting_packages, _xgboost
from mpi_automl.space.registry import register


@register
class XGBoost(Component):
    """Gradient boosting with second-order gradients (Chen and Guestrin, 2016)."""

    step = "regressor"
    name = "xgboost"
    properties = _boosting_packages.properties("regressor", "xgboost", 22, categories=False)
    hyperparameters = _xgboost.HYPERPARAMETERS

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from xgboost import XGBRegressor

        from mpi_automl.space.estimators.xgboost_boosting import XGBoostRegressor

        return XGBoostRegressor(XGBRegressor(**_xgboost.arguments(values, context)))
