"""Features that extremely randomised trees find important."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Float, Hyperparameter, flag
from mpi_automl.space.registry import register


@register
class TreeSelection(Component):
    """Keeps features of more than mean importance in a forest of 100 trees."""

    step = "feature_preprocessor"
    name = "extra_trees_preproc_for_regression"
    properties = Properties(tasks=REGRESSION, sparse=True, missing=True, output_nonnegative="input", preference=30)
    hyperparameters = (flag("bootstrap", False), _trees.VALUES, Float("max_features", 0.1, 1.0, 1.0), *_trees.LEAVES)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """The absolute error is offered for small tables only."""
        return _trees.for_size(self.hyperparameters, profile)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the selector."""
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.feature_selection import SelectFromModel

        trees = ExtraTreesRegressor(**values, n_jobs=context.threads, random_state=context.seed)
        return SelectFromModel(trees, threshold="mean")
