"""Every row weighs the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.registry import register


@register
class NoBalancing(Component):
    """No balancing."""

    step = "balancing"
    name = "none"
    properties = Properties(tasks=CLASSIFICATION, sparse=True, missing=True, preference=1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None
