"""Missing numbers stay missing, for learners that know what to do with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register


@register
class NoImputation(Component):
    """No imputation: allowed only where every later step takes missing values."""

    step = "imputation"
    name = "no_imputation"
    properties = Properties(missing=True, preference=4)

    def unsuitable(self, profile: Profile) -> str:
        """Nothing to leave alone where no value is missing."""
        return "" if profile.has_missing else "differs from mean only where values are missing, and none are"

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None
