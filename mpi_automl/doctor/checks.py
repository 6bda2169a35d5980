"""Is everything here that a job needs, and does it fit together? Each check gives a finding with its remedy."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mpi_automl.doctor.store_check import StoreTrial
from mpi_automl.machine.launcher import Launch
from mpi_automl.parallel.world import World
from mpi_automl.storage.choice import file_system_of
from mpi_automl.storage.hdf5 import is_parallel, loaded_mpi_libraries

OK, WARNING, WRONG = "ok", "warning", "wrong"

_PACKAGES = ("mpi_automl", "numpy", "scikit-learn", "ConfigSpace", "smac", "mpi4py", "h5py", "pandas", "skops")
_LITTLE_SCRATCH = 2**30
_SLURM = ("SLURM_JOB_ID", "SLURM_NNODES", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_NODE")


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    level : {"ok", "warning", "wrong"}
    topic : str
    text : str
        What is there and, unless it is fine, what to do.
    """

    level: str
    topic: str
    text: str


@dataclass(frozen=True)
class RankView:
    """What one rank sees of itself.

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


def view() -> RankView:
    """Look at this process and its node."""
    places = {"/dev/shm", tempfile.gettempdir()}  # noqa: S108  # where the table goes by default
    free = {place: shutil.disk_usage(place).free for place in sorted(places) if Path(place).is_dir()}
    return RankView(is_parallel(), loaded_mpi_libraries(), free)


def slurm_version() -> str:
    """What Slurm's own command says, or nothing; runs a command, so it belongs before MPI is initialised."""
    try:
        done = subprocess.run(["sinfo", "--version"], capture_output=True, text=True, timeout=10)  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def examine(
    world: World,
    launch: Launch,
    views: list[RankView],
    directory: Path,
    threads: int,
    *,
    stored: StoreTrial,
    slurm: str,
) -> Iterator[Finding]:
    """Everything that can be said on rank 0.

    Parameters
    ----------
    world : World
    launch : Launch
    views : list of RankView
        One for each rank.
    directory : Path
        Where run directories will be.
    threads : int
        Threads of one evaluation.
    stored : StoreTrial
    slurm : str
        From `slurm_version`.
    """
    yield _versions()
    yield _start(world, launch)
    yield _cores(world, threads)
    yield _binding(world)
    yield _hdf5(views)
    yield _store(stored)
    yield _locking(directory)
    yield _scratch(views)
    yield _slurm(slurm)


def _versions() -> Finding:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} (not installed as a package)")
    return Finding(OK, "versions", f"Python {platform.python_version()}, {', '.join(found)}")


def _start(world: World, launch: Launch) -> Finding:
    if not launch.is_parallel:
        return Finding(
            OK, "launch", "started without a launcher: one rank, no MPI; for more, mpirun -n 4 mpi-automl doctor"
        )
    place = f"{world.size} ranks on {world.node_count} nodes by {launch.launcher}, {world.library}"
    return Finding(OK, "launch", place)


def _cores(world: World, threads: int) -> Finding:
    own = sorted(len(place.cores) for place in world.places)
    load = world.load(threads)
    text = f"each rank may use {own[0]} to {own[-1]} cores; {load:.1f} busy threads per core with --threads {threads}"
    if load > 1:
        return Finding(WARNING, "cores", f"{text}: start fewer ranks, or ask for more cores")
    if load < 1:
        return Finding(WARNING, "cores", f"{text}: cores stay idle; start more ranks, or use more --threads")
    return Finding(OK, "cores", text)


def _binding(world: World) -> Finding:
    """Ranks of a node that are bound to parts of it must not be bound to the same parts."""
    for node in range(world.node_count):
        masks = {rank: place.cores for rank, place in enumerate(world.places) if place.node == node}
        everything = frozenset().union(*masks.values())
        bound = {rank: mask for rank, mask in masks.items() if mask != everything or len(everything) == 1}
        pairs = [(a, b) for a in bound for b in bound if a < b and bound[a] & bound[b]]
        if pairs:
            a, b = pairs[0]
            shared = ", ".join(map(str, sorted(bound[a] & bound[b])))
            text = f"ranks {a} and {b} are both bound to core {shared}"
            return Finding(WARNING, "binding", f"{text}: mpirun --bind-to none, or srun --cpu-bind=cores")
    return Finding(OK, "binding", "no two ranks are bound to the same cores")


def _store(stored: StoreTrial) -> Finding:
    if stored.problem:
        return Finding(WRONG, "store", f"{stored.problem}: try --store per-rank, or another directory")
    return Finding(OK, "store", f"all ranks' records were written and read in {stored.seconds:.1f} s: {stored.layout}")


def _hdf5(views: list[RankView]) -> Finding:
    libraries = frozenset().union(*(view.mpi_libraries for view in views))
    if len(libraries) > 1:
        text = f"h5py and mpi4py use different MPI libraries ({', '.join(sorted(libraries))})"
        return Finding(
            WARNING, "HDF5", f"{text}: rebuild h5py against the MPI of mpi4py; until then one file per rank is written"
        )
    if not all(view.parallel_hdf5 for view in views):
        return Finding(
            OK, "HDF5", "h5py has no MPI, so each rank writes a file of its own; a parallel h5py gives one file"
        )
    return Finding(OK, "HDF5", "h5py has MPI: all ranks write one file")


def _locking(directory: Path) -> Finding:
    kind = file_system_of(directory)
    variable = os.environ.get("HDF5_USE_FILE_LOCKING")
    chosen = f", HDF5_USE_FILE_LOCKING={variable}" if variable else ""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except PermissionError:
        return Finding(WRONG, "files", f"{directory.resolve()} cannot be written; go to a directory of yours")
    except OSError as error:
        remedy = "export HDF5_USE_FILE_LOCKING=FALSE if HDF5 complains of locks"
        return Finding(
            WARNING, "files", f"{directory.resolve()} ({kind}) has no file locks ({error.strerror}){chosen}: {remedy}"
        )
    return Finding(OK, "files", f"{directory.resolve()} is on {kind} and has file locks{chosen}")


def _scratch(views: list[RankView]) -> Finding:
    least: dict[str, int] = {}
    for place in (item for one in views for item in one.scratch.items()):
        least[place[0]] = min(least.get(place[0], place[1]), place[1])
    text = ", ".join(f"{name}: {free / 2**30:.1f} GiB free" for name, free in least.items())
    if max(least.values(), default=0) < _LITTLE_SCRATCH:
        return Finding(WARNING, "scratch", f"{text}: a large table will not fit; name a place with --scratch")
    return Finding(OK, "scratch", text)


def _slurm(slurm: str) -> Finding:
    found = [slurm] if slurm else []
    found += [f"{name}={os.environ[name]}" for name in _SLURM if name in os.environ]
    if "SLURM_JOB_ID" not in os.environ:
        found.append("this is no job" if slurm else "none here")
    return Finding(OK, "Slurm", ", ".join(found))
