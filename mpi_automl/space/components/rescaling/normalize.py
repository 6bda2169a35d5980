"""Rows are scaled to unit length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class Normalize(Component):
    """Every row is divided by its Euclidean length."""

    step = "rescaling"
    name = "normalize"
    properties = Properties(sparse=True, output_nonnegative="input", preference=3)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler."""
        from sklearn.preprocessing import Normalizer

        return Normalizer()
