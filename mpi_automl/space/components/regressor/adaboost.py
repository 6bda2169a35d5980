"""Adaptive boosting of decision trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import SINGLE_REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class AdaBoost(Component):
    """The algorithm R2 (Drucker, 1997) on trees."""

    step = "regressor"
    name = "adaboost"
    properties = Properties(tasks=SINGLE_REGRESSION, sparse=True, sample_weight=True, nonlinear=True, preference=50)
    hyperparameters = (*_trees.BOOSTED, Categorical("loss", ("linear", "square", "exponential")))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.ensemble import AdaBoostRegressor
        from sklearn.tree import DecisionTreeRegressor

        tree = DecisionTreeRegressor(max_depth=values["max_depth"])
        return AdaBoostRegressor(
            tree,
            n_estimators=values["n_estimators"],
            learning_rate=values["learning_rate"],
            loss=values["loss"],
            random_state=context.seed,
        )
