"""Numerical columns get zero mean and unit variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class Standardize(Component):
    """Standardisation; sparse columns are scaled but not centred, so that they stay sparse."""

    step = "rescaling"
    name = "standardize"
    properties = Properties(sparse=True, missing=True, preference=1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler."""
        from sklearn.preprocessing import StandardScaler

        return StandardScaler(with_mean=not context.sparse)
