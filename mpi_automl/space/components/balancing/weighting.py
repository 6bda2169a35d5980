"""Classes are weighted so that all count the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import BINARY_OR_MULTICLASS, Component, Context, Properties
from mpi_automl.space.registry import register


@register
class Weighting(Component):
    """Sample weights inverse to the frequency of the class; see `Candidate.sample_weight`."""

    step = "balancing"
    name = "weighting"
    properties = Properties(tasks=BINARY_OR_MULTICLASS, sparse=True, missing=True, sample_weight=True, preference=2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing of its own to do: the weights are given to ``fit``."""
        return None
