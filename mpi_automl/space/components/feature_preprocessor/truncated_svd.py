"""Latent semantic analysis: the leading singular vectors of sparse features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Hyperparameter, bounded
from mpi_automl.space.registry import register


@register
class TruncatedDecomposition(Component):
    """Truncated singular value decomposition, which takes sparse matrices without centring them."""

    step = "feature_preprocessor"
    name = "truncatedSVD"
    properties = Properties(dense=False, sparse=True, output="dense", preference=12)
    hyperparameters = (bounded("target_dim", 10, 256, 128, 256),)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """Fewer components than columns."""
        return (bounded("target_dim", 10, 256, 128, profile.n_columns - 1),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.capped import CappedTruncatedSVD

        return CappedTruncatedSVD(n_components=values["target_dim"], random_state=context.seed)
