"""Is everything here that a job needs, and does it fit together? Each check gives a result with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mpi_automl.doctor.hdf5 import check_hdf5, check_locking, check_store
from mpi_automl.doctor.machine import check_binding, check_cores, check_scheduler, check_scratch, free_scratch
from mpi_automl.doctor.mpi import check_launch, check_versions
from mpi_automl.doctor.result import CheckResult
from mpi_automl.doctor.store_check import try_store
from mpi_automl.machine.cores_and_threads import threads_of
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.parallel.world import World
from mpi_automl.settings import Settings
from mpi_automl.storage.hdf5 import is_parallel, loaded_mpi_libraries


@dataclass(frozen=True)
class RankView:
    """What one rank sees of itself and its node.

    Attributes
    ----------
    parallel_hdf5 : bool
    mpi_libraries : frozenset of str
        MPI libraries loaded into its process.
    scratch : dict of str to int
        Free bytes of each place for the node's copy of the table.
    """

    parallel_hdf5: bool
    mpi_libraries: frozenset[str]
    scratch: dict[str, int]


def examine(world: World, directory: Path, settings: Settings, slurm: str) -> list[CheckResult]:
    """Collective. Everything that can be said; the same on every rank.

    Parameters
    ----------
    world : World
    directory : Path
        Where run directories will be.
    settings : Settings
        With the threads of one evaluation.
    slurm : str
        From `mpi_automl.machine.scheduler.slurm_version`.
    """
    views = world.gather(RankView(is_parallel(), loaded_mpi_libraries(), free_scratch()))
    stored = try_store(world, directory)

    def results() -> Iterator[CheckResult]:
        threads = threads_of(settings, world.cores_per_rank)
        yield check_versions()
        yield check_launch(world, detect_launch())
        yield check_cores(world, threads)
        yield check_binding(world)
        yield check_hdf5([view.mpi_libraries for view in views], is_parallel=all(view.parallel_hdf5 for view in views))
        yield check_store(stored)
        yield check_locking(directory)
        yield check_scratch([view.scratch for view in views])
        yield check_scheduler(slurm)

    return world.on_root(lambda: list(results()))
