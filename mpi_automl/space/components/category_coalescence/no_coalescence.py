"""Rare categories stay on their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class NoCoalescence(Component):
    """Categories are not merged."""

    step = "category_coalescence"
    name = "no_coalescence"
    properties = Properties(sparse=True, missing=True, preference=2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None
