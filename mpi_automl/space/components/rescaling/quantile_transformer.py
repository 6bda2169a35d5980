"""Numerical columns are mapped to a uniform or normal distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Choice, Hyperparameter, bounded
from mpi_automl.space.registry import register


@register
class QuantileTransform(Component):
    """Values are replaced by their ranks, seen as quantiles of a distribution."""

    step = "rescaling"
    name = "quantile_transformer"
    properties = Properties(sparse=True, missing=True, preference=6)
    hyperparameters = (
        bounded("n_quantiles", 10, 2000, 1000, 2000),
        Choice("output_distribution", ("normal", "uniform")),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more quantiles than half of the rows."""
        return (bounded("n_quantiles", 10, 2000, 1000, profile.n_rows // 2), self.hyperparameters[1])

    def unsuitable(self, profile: Profile) -> str:
        """On sparse data zeros have to be the smallest values."""
        if profile.is_sparse and not profile.is_nonnegative:
            return "cannot handle sparse data with negative values"
        return ""

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.capped import CappedQuantileTransformer

        return CappedQuantileTransformer(
            n_quantiles=values["n_quantiles"],
            output_distribution=values["output_distribution"],
            random_state=context.seed,
        )
