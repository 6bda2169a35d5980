"""Random forest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Hyperparameter
from mpi_automl.space.registry import register


@register
class RandomForest(Component):
    """Bagged decision trees with random candidate features at each split (Breiman, 2001)."""

    step = "regressor"
    name = "random_forest"
    properties = _trees.forest_properties(classification=False, preference=1)
    hyperparameters = _trees.regressor_hyperparameters(bootstrap=True)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """The absolute error is offered for small tables only."""
        return _trees.for_size(self.hyperparameters, profile)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the forest."""
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(**_trees.forest_arguments(values, context))
