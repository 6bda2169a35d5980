"""Principal component analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Float, flag
from mpi_automl.space.registry import register


@register
class PrincipalComponents(Component):
    """The principal components that explain a share of the variance."""

    step = "feature_preprocessor"
    name = "pca"
    # The time of the decomposition grows with the square of the columns, as with independent components.
    properties = Properties(output="dense", preference=10, max_columns=10_000)
    hyperparameters = (Float("keep_variance", 0.5, 0.9999, 0.9999), flag("whiten", False))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from sklearn.decomposition import PCA

        return PCA(
            n_components=values["keep_variance"],
            whiten=values["whiten"],
            random_state=context.seed,
        )
