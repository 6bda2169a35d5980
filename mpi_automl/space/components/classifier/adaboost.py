"""Adaptive boosting of decision trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import BINARY_OR_MULTICLASS, Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.registry import register


@register
class AdaBoost(Component):
    """The algorithm SAMME (Zhu, Zou, Rosset and Hastie, 2009) on trees."""

    step = "classifier"
    name = "adaboost"
    properties = Properties(tasks=BINARY_OR_MULTICLASS, sparse=True, sample_weight=True, nonlinear=True, preference=50)
    hyperparameters = (*_trees.BOOSTED,)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.ensemble import AdaBoostClassifier
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(max_depth=values["max_depth"])
        return AdaBoostClassifier(
            tree, n_estimators=values["n_estimators"], learning_rate=values["learning_rate"], random_state=context.seed
        )
