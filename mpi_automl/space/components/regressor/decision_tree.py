"""Decision tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Hyperparameter
from mpi_automl.space.registry import register


@register
class DecisionTree(Component):
    """A single tree (Breiman, Friedman, Olshen and Stone, 1984)."""

    step = "regressor"
    name = "decision_tree"
    properties = Properties(
        tasks=REGRESSION, sparse=True, missing=True, sample_weight=True, nonlinear=True, preference=60
    )
    hyperparameters = (_trees.VALUES, _trees.DEPTH, *_trees.LEAVES)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """The absolute error is offered for small tables only."""
        return _trees.for_size(self.hyperparameters, profile)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the tree."""
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(**_trees.tree_arguments(values, context))
