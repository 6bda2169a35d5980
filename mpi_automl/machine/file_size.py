"""The limit on the size of a file that this process writes (``ulimit -f``)."""

from __future__ import annotations

import contextlib
import resource

from mpi_automl.errors import UserError

LEAST_FOR_MPI = 64 * 2**20
"""Bytes: MPI libraries lay the memory that ranks of a node share in files of 4 to 32 MiB, and hang where these cannot
grow."""


def raise_limit() -> float:
    """Raise the limit as far as this process may; gives it in bytes, infinite without one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        soft = hard
    return float("inf") if soft == resource.RLIM_INFINITY else float(soft)


def check_limit(needed: float, purpose: str) -> None:
    """See that a file of so many bytes can be written.

    Raises
    ------
    UserError
        If the limit is lower.
    """
    limit = raise_limit()
    if limit < needed:
        raise UserError(
            f"Files may not grow beyond {limit / 2**20:.1f} MiB here (ulimit -f), and {purpose} takes up to "
            f"{needed / 2**20:.1f} MiB; give ulimit -f unlimited before the command."
        )
