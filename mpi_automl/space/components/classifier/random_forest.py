"""Random forest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _trees
from mpi_automl.space.registry import register


@register
class RandomForest(Component):
    """Bagged decision trees with random candidate features at each split (Breiman, 2001)."""

    step = "classifier"
    name = "random_forest"
    properties = _trees.forest_properties(classification=True, preference=1)
    hyperparameters = _trees.classifier_hyperparameters(bootstrap=True)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the forest."""
        from sklearn.ensemble import RandomForestClassifier

        share = _trees.feature_share(values["max_features"], context.profile)
        return RandomForestClassifier(**_trees.forest_arguments({**values, "max_features": share}, context))
