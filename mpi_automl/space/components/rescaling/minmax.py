"""Numerical columns are brought into the range from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class MinMax(Component):
    """Scaling by minimum and maximum; it would make sparse columns dense."""

    step = "rescaling"
    name = "minmax"
    properties = Properties(missing=True, output_nonnegative="yes", preference=2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler."""
        from sklearn.preprocessing import MinMaxScaler

        return MinMaxScaler()
