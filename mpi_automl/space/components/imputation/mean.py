"""Missing numbers become the column's mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class Mean(Component):
    """Imputation by the column's mean."""

    step = "imputation"
    name = "mean"
    properties = Properties(sparse=True, preference=1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the imputer; columns without any value become 0."""
        from sklearn.impute import SimpleImputer

        return SimpleImputer(strategy="mean", keep_empty_features=True)
