"""How the width of encoded texts is reduced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import MAX_CELLS, Component, Context, Properties
from mpi_automl.space.hyperparameters import Hyperparameter, bounded
from mpi_automl.space.registry import register


@register
class TextReduction(Component):
    """Latent semantic analysis (Deerwester et al., 1990)."""

    step = "text_feature_reduction"
    name = "truncated_svd"
    properties = Properties(sparse=True, missing=True, output="dense")
    hyperparameters = (bounded("n_components", 1, 10_000, 100, 10_000, log=True),)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more components than half of the rows, nor than fit in 512 MiB."""
        most = min(profile.n_rows // 2, MAX_CELLS // profile.n_rows)
        return (bounded("n_components", 1, 10_000, 100, most, log=True),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.capped import CappedTruncatedSVD

        return CappedTruncatedSVD(n_components=values["n_components"], random_state=context.seed)
