"""Products of features."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import MAX_CELLS, Component, Context, Properties, encoded_columns
from mpi_automl.space.hyperparameters import Hyperparameter, Integer, flag
from mpi_automl.space.registry import register

MAX_COLUMNS = 20_000
"""Almost what 199 columns make in the second degree (20,100)."""


@register
class Polynomial(Component):
    """Powers and products of up to two or three features."""

    step = "feature_preprocessor"
    name = "polynomial"
    properties = Properties(sparse=True, output_nonnegative="input", widens=True, preference=37)
    hyperparameters = (Integer("degree", 2, 3, 2), flag("include_bias", True), flag("interaction_only", False))

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """The third degree only where it is not too wide."""
        return self.hyperparameters[1:] if _too_wide(profile, 3) else self.hyperparameters

    def unsuitable(self, profile: Profile) -> str:
        """The second degree must not be too wide."""
        return _too_wide(profile, 2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from sklearn.preprocessing import PolynomialFeatures

        return PolynomialFeatures(**values)


def _too_wide(profile: Profile, degree: int) -> str:
    columns = comb(encoded_columns(profile) + degree, degree)
    if columns > MAX_COLUMNS or columns * profile.n_rows > MAX_CELLS:
        return f"would make a table of {profile.n_rows:,} rows and {columns:,} columns"
    return ""
