"""Leaves of random trees as features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.components import _trees
from mpi_automl.space.hyperparameters import Integer
from mpi_automl.space.registry import register


@register
class TreeEmbedding(Component):
    """One-hot encoding of the leaves that a row falls into (Moosmann, Triggs and Jurie, 2006)."""

    step = "feature_preprocessor"
    name = "random_trees_embedding"
    properties = Properties(sparse=True, output="sparse", output_nonnegative="yes", preference=38)
    hyperparameters = (
        Integer("max_depth", 2, 10, 5),
        *_trees.LEAVES,
        Integer("n_estimators", 10, 100, 10),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from sklearn.ensemble import RandomTreesEmbedding

        return RandomTreesEmbedding(**values, random_state=context.seed, n_jobs=context.threads)
