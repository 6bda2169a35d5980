"""Features that extremely randomised trees find important."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Float, flag
from mpi_automl.space.registry import register


@register
class TreeSelection(Component):
    """Keeps features of more than mean importance in a forest of 100 trees."""

    step = "feature_preprocessor"
    name = "extra_trees_preproc_for_classification"
    properties = Properties(tasks=CLASSIFICATION, sparse=True, missing=True, output_nonnegative="input", preference=30)
    hyperparameters = (flag("bootstrap", False), _trees.CLASSES, Float("max_features", 0.0, 1.0, 0.5), *_trees.LEAVES)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the selector."""
        from sklearn.ensemble import ExtraTreesClassifier
        from sklearn.feature_selection import SelectFromModel

        trees = ExtraTreesClassifier(
            bootstrap=values["bootstrap"],
            criterion=values["criterion"],
            max_features=_trees.feature_share(values["max_features"], context.profile),
            min_samples_leaf=values["min_samples_leaf"],
            min_samples_split=values["min_samples_split"],
            class_weight="balanced" if context.balanced else None,
            n_jobs=context.threads,
            random_state=context.seed,
        )
        return SelectFromModel(trees, threshold="mean")
