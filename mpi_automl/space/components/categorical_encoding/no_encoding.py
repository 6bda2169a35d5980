"""Categories are left to the learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.estimators.codes import category_codes
from mpi_automl.space.registry import register


@register
class NoEncoding(Component):
    """Category codes as they are: a learner that knows categories is told which columns hold them.

    Other learners, and feature preprocessors, see numbers, as with ordinal encoding. Missing and new
    categories are -1.
    """

    step = "categorical_encoding"
    name = "no_encoding"
    properties = Properties(sparse=True, missing=True, categories=True, preference=3)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer that merges rare categories and marks missing ones."""
        return category_codes(context.fraction)
