"""The limit on the number of files that this process has open (``ulimit -n``)."""

from __future__ import annotations

import contextlib
import errno
import resource

from mpi_automl.errors import UserError

LEAST = 64
"""Files: Python's modules, a store, and the pipes of a trial take up to 20, MPI's sockets and shared memory as many."""
_ADVICE = "give ulimit -n 1024 before the command"


def check_limit() -> None:
    """Raise the limit as far as this process may, and see that it is enough.

    Raises
    ------
    UserError
        If it is not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft != resource.RLIM_INFINITY and soft < LEAST:
        raise UserError(f"Only {soft} files may be open at a time here (ulimit -n); {_ADVICE}.")


def sentence_of(error: BaseException) -> str | None:
    """What to tell a person of an error that a limit of open files caused; None for any other."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return f"Too many files are open (ulimit -n); {_ADVICE}."
    return None
