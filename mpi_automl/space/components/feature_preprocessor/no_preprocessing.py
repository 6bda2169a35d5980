"""Features are learned from as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class NoPreprocessing(Component):
    """No feature preprocessing."""

    step = "feature_preprocessor"
    name = "no_preprocessing"
    properties = Properties(sparse=True, missing=True, output_nonnegative="input", preference=1, weight=4.0)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None
