"""What replaces missing numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, NoOperation, Properties
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

        return SimpleImputer(strategy=self.name, keep_empty_features=True)


@register
class Median(Mean):
    """Imputation by the column's median."""

    name = "median"
    properties = Properties(sparse=True, preference=2)

    def unsuitable(self, profile: Profile) -> str:
        """One strategy is enough where no number is missing."""
        return _without_missing(profile)


@register
class MostFrequent(Mean):
    """Imputation by the column's most frequent value."""

    name = "most_frequent"
    properties = Properties(sparse=True, preference=3)

    def unsuitable(self, profile: Profile) -> str:
        """One strategy is enough where no number is missing."""
        return _without_missing(profile)


@register
class NoImputation(NoOperation):
    """No imputation: allowed only where every later step takes missing values."""

    step = "imputation"
    name = "no_imputation"
    properties = Properties(missing=True, preference=4)

    def unsuitable(self, profile: Profile) -> str:
        """Nothing to leave alone where no value is missing."""
        return _without_missing(profile)


def _without_missing(profile: Profile) -> str:
    return "" if profile.has_missing else "differs from mean only where values are missing, and none are"
