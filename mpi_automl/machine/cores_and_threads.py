"""Cores that the ranks of a node may use, and how many threads an evaluation gets of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from mpi_automl.machine.launcher import ranks_on_node
from mpi_automl.machine.scheduler import JobEnvironment
from mpi_automl.option_types import AUTO

if TYPE_CHECKING:
    from mpi_automl.settings import Settings


def usable_cores() -> frozenset[int]:
    """Cores in this process's affinity mask, which a launcher or Slurm may have narrowed."""
    return frozenset(os.sched_getaffinity(0))


def cores_per_rank(masks: Collection[frozenset[int]]) -> float:
    """Cores that a rank has for itself, where the ranks of a node have the fewest.

    Ranks bound to different cores do not share them; ranks that may all use the same cores share these evenly.

    Parameters
    ----------
    masks : collection of frozenset of int
        Affinity mask of each rank on the node.
    """
    ranks = Counter(masks)
    everything = frozenset[int]().union(*ranks)
    return min(
        len(place) / sum(count for mask, count in ranks.items() if mask <= place) for place in {*ranks, everything}
    )


def threads_before_mpi(settings: Settings, environ: Mapping[str, str] = os.environ) -> int:
    """Threads that a trial server is started with, before MPI tells where the other ranks are.

    With ``--threads auto`` this may be more than `threads_of` gives in the end, never less.
    """
    share = (os.cpu_count() or 1) / (ranks_on_node(environ) or 1)
    return threads_of(settings, min(len(usable_cores()), share), environ)


def threads_of(settings: Settings, cores: float, environ: Mapping[str, str] = os.environ) -> int:
    """Threads of one evaluation.

    ``--threads auto`` takes the cores of the rank that has the fewest; not more than Slurm's ``--cpus-per-task``.

    Parameters
    ----------
    settings : Settings
    cores : float
        That a rank has for itself, see `cores_per_rank`.
    environ : mapping of str to str
    """
    if settings.threads != AUTO:
        return settings.threads
    given = JobEnvironment(environ).cores_per_task
    return max(1, int(cores if given is None else min(cores, given)))
