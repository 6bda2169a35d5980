"""Whether columns tell which numbers were missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, NoOperation, Properties
from mpi_automl.space.registry import register


@register
class NoIndicator(NoOperation):
    """Imputed values are not marked."""

    step = "missing_indicator"
    name = "no_indicator"
    properties = Properties(sparse=True, preference=1)


@register
class Indicator(Component):
    """Columns that tell which values were missing, so that a learner can use the fact itself."""

    step = "missing_indicator"
    name = "indicator"
    properties = Properties(preference=2, output_nonnegative="yes")

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer; columns that are complete in the training rows get no indicator."""
        from sklearn.impute import MissingIndicator

        return MissingIndicator(features="missing-only", error_on_new=False, sparse=False)
