"""Clusters of similar features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties, encoded_columns
from mpi_automl.space.hyperparameters import Categorical, Hyperparameter, bounded
from mpi_automl.space.registry import register


@register
class FeatureClusters(Component):
    """Hierarchical clustering of the features, each cluster pooled into one."""

    step = "feature_preprocessor"
    name = "feature_agglomeration"
    # There is a distance for each pair of columns.
    properties = Properties(output="dense", max_columns=5_000, preference=32)
    hyperparameters = (
        Categorical("affinity", ("euclidean", "manhattan", "cosine")),
        Categorical("linkage", ("ward", "complete", "average")),
        bounded("n_clusters", 2, 400, 25, 400),
        Categorical("pooling_func", ("mean", "median", "max")),
    )
    forbidden = ({"affinity": ("manhattan", "cosine"), "linkage": ("ward",)},)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more clusters than encoded columns."""
        clusters = bounded("n_clusters", 2, 400, 25, encoded_columns(profile))
        return (*self.hyperparameters[:2], clusters, self.hyperparameters[3])

    def unsuitable(self, profile: Profile) -> str:
        """There must be something to put together."""
        return "needs more than one column" if encoded_columns(profile) < 2 else ""

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        import numpy as np

        from mpi_automl.space.estimators.capped import CappedFeatureAgglomeration

        pooling = {"mean": np.mean, "median": np.median, "max": np.max}[values["pooling_func"]]
        return CappedFeatureAgglomeration(
            n_clusters=values["n_clusters"], metric=values["affinity"], linkage=values["linkage"], pooling_func=pooling
        )
