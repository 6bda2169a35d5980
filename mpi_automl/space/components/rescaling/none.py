"""Numerical columns keep their scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class NoRescaling(Component):
    """No rescaling."""

    step = "rescaling"
    name = "none"
    properties = Properties(sparse=True, missing=True, output_nonnegative="input", preference=7)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None
