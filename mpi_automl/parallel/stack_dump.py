"""The stack of a rank that is stuck goes to its log, whatever the rank is stuck in.

That another rank is stuck or silent is noticed by `mpi_automl.job.liveness`; a rank that dies of an exception ends all
(`mpi_automl.parallel.abort`).
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from pathlib import Path
from types import TracebackType

from mpi_automl.parallel.world import RankLocation, World

ASK_FOR_STACK = signal.SIGQUIT
"""A rank that gets this signal writes its stack to its log and continues."""

# Each arming starts a thread, which is too dear for every turn of a loop.
_REARM = 1.0


class StackDump:
    """Context that can write this process's stack to a file without help from Python.

    The standard library's `faulthandler` does it from a thread of its own or inside a signal handler,
    so that it also works while the interpreter's lock is held by C code or a call of MPI blocks.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._silence = 0.0
        self._armed = 0.0

    def __enter__(self) -> StackDump:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            faulthandler.cancel_dump_traceback_later()
            faulthandler.unregister(ASK_FOR_STACK)
            os.close(self._descriptor)
            self._descriptor = None

    def open(self, path: Path, silence: float) -> None:
        """Begin: stacks go to the end of a file.

        Parameters
        ----------
        path : Path
        silence : float
            Seconds without `beat` after which the stack is written.
        """
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        self._silence = silence
        faulthandler.register(ASK_FOR_STACK, file=self._descriptor)
        self.beat()

    def beat(self) -> None:
        """Say that this rank is not stuck; cheap enough for every turn of a loop."""
        if self._descriptor is not None and time.monotonic() - self._armed > _REARM:
            self._armed = time.monotonic()
            faulthandler.dump_traceback_later(self._silence, file=self._descriptor)

    def allow(self, seconds: float) -> None:
        """End this process, and with it the job, unless the context is left within so many seconds.

        The last resort against waiting without end where MPI knows no time limit, as in closing a shared file.
        """
        if self._descriptor is not None:
            faulthandler.dump_traceback_later(seconds, file=self._descriptor, exit=True)


def ask_for_stack(world: World, rank: int) -> bool:
    """Have a rank of this node write its stack to its log; gives whether it could be asked."""
    place = world.locations[rank]
    if place.node != world.location.node or not _is_alike(place):
        return False
    try:
        os.kill(place.pid, ASK_FOR_STACK)
    except OSError:
        return False
    return True


def _is_alike(place: RankLocation) -> bool:
    """Whether the process runs this interpreter: in containers, process numbers may mean something else."""
    try:
        return Path(f"/proc/{place.pid}/exe").readlink() == Path("/proc/self/exe").readlink()
    except OSError:
        return False
