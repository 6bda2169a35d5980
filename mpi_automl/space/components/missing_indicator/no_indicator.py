"""No columns that tell what was missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class NoIndicator(Component):
    """Imputed values are not marked."""

    step = "missing_indicator"
    name = "no_indicator"
    properties = Properties(sparse=True, preference=1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None
