"""What a store needs of the ranks that write it together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class StoreWorld(Protocol):
    """The ranks of a job, as `mpi_automl.parallel.world.World` has them.

    Attributes
    ----------
    comm : mpi4py.MPI.Intracomm or None
        For MPI-IO, which opens and closes a shared file collectively; None for a single rank.
    rank : int
    """

    comm: Any
    rank: int

    def wait(self) -> None:
        """Collective. Wait for every rank."""
        ...  # a protocol's method has no body

    def gather(self, value: T) -> list[T]:
        """Collective. The values of all ranks, on rank 0; elsewhere an empty list."""
        ...

    def on_root(self, work: Callable[[], T]) -> T:
        """Collective. Do `work` on rank 0 and give every rank its value; a `UserError` is raised on every rank."""
        ...

    def together(self, work: Callable[[], T]) -> T:
        """Collective. Do `work` on every rank; the `UserError` of one is raised on all."""
        ...
