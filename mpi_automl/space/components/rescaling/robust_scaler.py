"""Numerical columns are centred and scaled by quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class RobustScale(Component):
    """Scaling by the range between two quantiles, which outliers do not move."""

    step = "rescaling"
    name = "robust_scaler"
    properties = Properties(sparse=True, missing=True, preference=5)
    hyperparameters = (
        Float("q_max", 0.7, 0.999, 0.75),
        Float("q_min", 0.001, 0.3, 0.25),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler; scikit-learn wants percent where the hyperparameters are shares."""
        from sklearn.preprocessing import RobustScaler

        percent = (100.0 * values["q_min"], 100.0 * values["q_max"])
        return RobustScaler(with_centering=not context.sparse, quantile_range=percent)
