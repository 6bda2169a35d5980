"""Extremely randomised trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Hyperparameter
from mpi_automl.space.registry import register


@register
class ExtraTrees(Component):
    """Trees with random thresholds (Geurts, Ernst and Wehenkel, 2006)."""

    step = "regressor"
    name = "extra_trees"
    properties = _trees.forest_properties(classification=False, preference=10)
    hyperparameters = _trees.regressor_hyperparameters(bootstrap=False)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """The absolute error is offered for small tables only."""
        return _trees.for_size(self.hyperparameters, profile)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the forest."""
        from sklearn.ensemble import ExtraTreesRegressor

        return ExtraTreesRegressor(**_trees.forest_arguments(values, context))
