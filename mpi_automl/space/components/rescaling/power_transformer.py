"""Numerical columns are made more like normal distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class PowerTransform(Component):
    """The transformation of Yeo and Johnson (2000), followed by standardisation."""

    step = "rescaling"
    name = "power_transformer"
    properties = Properties(missing=True, preference=4)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from sklearn.preprocessing import PowerTransformer

        return PowerTransformer()
