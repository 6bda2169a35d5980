"""Categories become numbers 0, 1, 2, ..."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.estimators.codes import category_codes
from mpi_automl.space.registry import register


@register
class OrdinalEncoding(Component):
    """Ordinal encoding, which every learner takes for numbers; missing and new categories are -1."""

    step = "categorical_encoding"
    name = "encoding"
    properties = Properties(sparse=True, missing=True, preference=2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the encoder."""
        return category_codes(context.fraction)
