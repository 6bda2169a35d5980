"""LightGBM's gradient boosting, if the package is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _boosting_packages, _lightgbm
from mpi_automl.space.registry import register


@register
class LightGBM(Component):
    """Gradient boosting of leaf-wise trees (Ke et al., 2017)."""

    step = "regressor"
    name = "lightgbm"
    properties = _boosting_packages.properties("regressor", "lightgbm", "n_estimators", 21, categories=True)
    hyperparameters = _lightgbm.HYPERPARAMETERS

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from lightgbm import LGBMRegressor

        return LGBMRegressor(**_lightgbm.arguments(values, context))
