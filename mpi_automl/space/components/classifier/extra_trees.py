"""Extremely randomised trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _trees
from mpi_automl.space.registry import register


@register
class ExtraTrees(Component):
    """Trees with random thresholds (Geurts, Ernst and Wehenkel, 2006)."""

    step = "classifier"
    name = "extra_trees"
    properties = _trees.forest_properties(classification=True, preference=10)
    hyperparameters = _trees.classifier_hyperparameters(bootstrap=False)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the forest."""
        from sklearn.ensemble import ExtraTreesClassifier

        share = _trees.feature_share(values["max_features"], context.profile)
        return ExtraTreesClassifier(**_trees.forest_arguments({**values, "max_features": share}, context))
