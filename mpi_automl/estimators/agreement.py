"""What ranks do before they meet: a failure of one is everybody's, so that none waits for another that has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch


def is_root(comm: Any) -> bool:
    """Whether this process's data count: that of rank 0, or of any that does not know its rank before MPI starts."""
    return comm.rank == 0 if comm is not None else detect_launch().speaks


class Prepared:
    """What a rank does before it meets the others: its value, or its failure for all of them.

    Parameters
    ----------
    work : callable
    comm : mpi4py.MPI.Intracomm or None
        Where the ranks meet; by default all ranks under a launcher.
    """

    def __init__(self, work: Callable[[], Any], comm: Any) -> None:
        self._is_alone = comm is None and not detect_launch().is_parallel
        self._failure: Exception | None = None
        self.value: Any = None
        try:
            self.value = work()
        except Exception as error:  # noqa: BLE001  # whatever it is, the other ranks must not wait
            self._failure = error

    @property
    def has_failed(self) -> bool:
        """Whether there is no value."""
        return self._failure is not None

    def check(self) -> None:
        """Raise the failure, with other ranks as a `UserError`, on which they agree."""
        if self._failure is None:
            return
        if self._is_alone or not isinstance(self._failure, (ValueError, TypeError, OSError)):
            raise self._failure
        raise UserError(str(self._failure)) from self._failure
