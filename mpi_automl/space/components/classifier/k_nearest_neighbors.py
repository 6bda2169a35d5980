"""Nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _neighbors
from mpi_automl.space.hyperparameters import Hyperparameter
from mpi_automl.space.registry import register


@register
class NearestNeighbors(Component):
    """Votes or means of the nearest training rows."""

    step = "classifier"
    name = "k_nearest_neighbors"
    properties = Properties(
        tasks=CLASSIFICATION, sparse=True, nonlinear=True, max_cells=_neighbors.MAX_CELLS, preference=30
    )
    hyperparameters = _neighbors.HYPERPARAMETERS

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """With as many neighbours as the table allows."""
        return _neighbors.for_size(profile)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.capped import CappedKNeighborsClassifier

        return CappedKNeighborsClassifier(**values, n_jobs=context.threads)
