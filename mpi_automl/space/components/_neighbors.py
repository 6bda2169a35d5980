"""What both nearest neighbour components have in common."""

from __future__ import annotations

from mpi_automl.data.task import Profile
from mpi_automl.space.hyperparameters import Categorical, Hyperparameter, bounded

HYPERPARAMETERS = (
    bounded("n_neighbors", 1, 100, 1, 100, log=True),
    Categorical("p", (1, 2), 2),
    Categorical("weights", ("uniform", "distance")),
)
MAX_CELLS = 100_000_000
"""Values of the table beyond which predictions take too long: every row is compared with every other."""


def for_size(profile: Profile) -> tuple[Hyperparameter, ...]:
    """Not more neighbours than a third of the rows, so that every training fold has enough."""
    return (bounded("n_neighbors", 1, 100, 1, profile.n_rows // 3, log=True), *HYPERPARAMETERS[1:])
