"""Decision tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.registry import register


@register
class DecisionTree(Component):
    """A single tree (Breiman, Friedman, Olshen and Stone, 1984)."""

    step = "classifier"
    name = "decision_tree"
    properties = Properties(
        tasks=CLASSIFICATION, sparse=True, missing=True, sample_weight=True, nonlinear=True, preference=60
    )
    hyperparameters = (_trees.CLASSES, _trees.DEPTH, *_trees.LEAVES)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the tree."""
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(**_trees.tree_arguments(values, context))
