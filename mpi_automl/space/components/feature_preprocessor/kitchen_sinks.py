"""Random features for a Gaussian kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import MAX_CELLS, Component, Context, Properties
from mpi_automl.space.hyperparameters import Float, Hyperparameter, Integer, bounded
from mpi_automl.space.registry import register


@register
class RandomKitchenSinks(Component):
    """Random kitchen sinks (Rahimi and Recht, 2008)."""

    step = "feature_preprocessor"
    name = "kitchen_sinks"
    properties = Properties(sparse=True, output="dense", expands=True, preference=34)
    hyperparameters = (
        Float("gamma", 3.05175781e-05, 8.0, 1.0, log=True),
        Integer("n_components", 50, 10_000, 100, log=True),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more components than rows, whose kernel has no higher rank, nor than fit in 512 MiB."""
        most = min(profile.n_rows, MAX_CELLS // profile.n_rows)
        return (self.hyperparameters[0], bounded("n_components", 50, 10_000, 100, most, log=True))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from sklearn.kernel_approximation import RBFSampler

        return RBFSampler(**values, random_state=context.seed)
