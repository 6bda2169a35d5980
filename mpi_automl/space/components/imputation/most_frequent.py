"""Missing numbers become the column's most frequent value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class MostFrequent(Component):
    """Imputation by the column's most frequent value."""

    step = "imputation"
    name = "most_frequent"
    properties = Properties(sparse=True, preference=3)

    def unsuitable(self, profile: Profile) -> str:
        """One strategy is enough where no number is missing."""
        return "" if profile.has_missing else "differs from mean only where values are missing, and none are"

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the imputer; columns without any value become 0."""
        from sklearn.impute import SimpleImputer

        return SimpleImputer(strategy="most_frequent", keep_empty_features=True)
