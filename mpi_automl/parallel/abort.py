"""One rank fails, all know: an unexpected exception ends the whole job."""

from __future__ import annotations

import array
import contextlib
import fcntl
import sys
import termios
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mpi_automl.errors import JobError, UserError
from mpi_automl.machine.open_files import sentence_of
from mpi_automl.parallel.world import World

_READING, _FORWARDING = 1.0, 0.05
"""Seconds that a launcher has to read what a failing rank says, and to pass it on."""


@dataclass
class LastWords:
    """What a job that fails says last.

    Attributes
    ----------
    text : str
        How to go on; empty as long as there is nothing to go on with.
    """

    text: str = ""


@contextmanager
def abort_on_exception(world: World, note: Callable[[str], None]) -> Iterator[LastWords]:
    """End every rank of the job when this one raises something unexpected.

    `SystemExit` passes, and so does a `UserError` on which all ranks have agreed (`World.on_root`, `World.together`).
    Anything else is printed with rank and host, and MPI aborts; without that the other ranks would wait without end.
    A single rank without MPI just sees its exception.

    Parameters
    ----------
    world : World
    note : callable
        Gets the traceback too, for the rank's log.

    Yields
    ------
    LastWords
        Its text is printed last, once it is set.
    """
    last_words = LastWords()
    try:
        yield last_words
    except SystemExit:
        raise
    except BaseException as error:
        if world.size == 1 or (isinstance(error, UserError) and error.agreed):
            raise
        told = str(error) if isinstance(error, (JobError, UserError)) else sentence_of(error)
        reason = told or traceback.format_exc().rstrip()
        text = f"Rank {world.rank} on {world.location.host} failed; the job ends.\n{reason}\n{last_words.text}".rstrip()
        note(text)
        print(text, file=sys.stderr, flush=True)  # noqa: T201  # nobody else will
        _let_launcher_read()
        assert world.comm is not None
        world.comm.Abort(getattr(error, "status", 1) or 1)


def _let_launcher_read() -> None:
    """Wait until the launcher has taken what was printed; it may drop the rest when the job aborts."""
    limit = time.monotonic() + _READING
    waiting = array.array("i", [1])
    with contextlib.suppress(OSError, ValueError):
        while waiting[0] and time.monotonic() < limit:
            fcntl.ioctl(sys.stderr.fileno(), termios.FIONREAD, waiting)
            time.sleep(_FORWARDING)
