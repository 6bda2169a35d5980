"""Independent component analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties, encoded_columns
from mpi_automl.space.hyperparameters import Categorical, Hyperparameter, bounded, flag
from mpi_automl.space.registry import register


@register
class IndependentComponents(Component):
    """The algorithm FastICA (Hyvarinen and Oja, 2000)."""

    step = "feature_preprocessor"
    name = "fast_ica"
    properties = Properties(output="dense", max_columns=1_000, preference=31)
    hyperparameters = (
        Categorical("algorithm", ("parallel", "deflation")),
        Categorical("fun", ("logcosh", "exp", "cube")),
        flag("whiten", True),
        bounded("n_components", 10, 2000, 100, 2000),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more components than encoded columns; only whitening can reduce their number."""
        components = bounded("n_components", 10, 2000, 100, encoded_columns(profile), when={"whiten": (True,)})
        return (*self.hyperparameters[:3], components)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.capped import CappedFastICA

        return CappedFastICA(
            n_components=values.get("n_components"),
            algorithm=values["algorithm"],
            fun=values["fun"],
            whiten="unit-variance" if values["whiten"] else False,
            random_state=context.seed,
        )
