"""What the ranks bring together when the candidates of an ensemble are dealt over them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mpi_automl.parallel.world import World

Comparable = TypeVar("Comparable", bound=tuple[float, int, int])

# Waiting in MPI itself would spin, and take the core of the rank that is still scoring.
_POLL = 0.002


class WorldReduction:
    """The best of all ranks' picks, and the predictions of the rank that owns it.

    Fits `mpi_automl.ensemble.greedy.Reduction`.

    Parameters
    ----------
    world : World
        Of two ranks or more.
    """

    def __init__(self, world: World) -> None:
        assert world.comm is not None
        self._world = world
        self._comm = world.comm

    def best(self, pick: Comparable) -> Comparable:
        """Collective. The best of all ranks' picks, on every rank."""
        from mpi4py import MPI

        # Ranks score shares of different size: the early ones wait without keeping a core busy.
        self._world.wait()
        best: Comparable = self._comm.allreduce(pick, op=MPI.MIN)
        return best

    def from_owner(self, predictions: NDArray[np.float32] | None, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Collective. The predictions of the one rank that does not give None, on every rank."""
        from mpi4py import MPI

        owner = self._comm.allreduce(-1 if predictions is None else self._comm.rank, op=MPI.MAX)
        received = np.empty(shape, np.float32) if predictions is None else np.array(predictions, np.float32, order="C")
        request = self._comm.Ibcast(received, root=owner)
        while not request.Test():
            time.sleep(_POLL)
        return received
