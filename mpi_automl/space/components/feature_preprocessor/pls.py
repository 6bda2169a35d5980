"""Components that covary with the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties, encoded_columns
from mpi_automl.space.hyperparameters import Hyperparameter, bounded
from mpi_automl.space.registry import register


@register
class PartialLeastSquares(Component):
    """Scores of partial least squares (Wold, 1975): a reduction that knows the target."""

    step = "feature_preprocessor"
    name = "pls"
    properties = Properties(output="dense", max_columns=10_000, preference=41)
    hyperparameters = (bounded("n_components", 1, 50, 5, 50),)

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more components than encoded columns."""
        return (bounded("n_components", 1, 50, 5, encoded_columns(profile)),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.pls import PLSScores

        return PLSScores(n_components=values["n_components"])
