"""Checks of a node: cores, binding, scratch space, scheduler."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from mpi_automl.doctor.result import OK, WARNING, CheckResult
from mpi_automl.machine.scheduler import JobEnvironment
from mpi_automl.parallel.world import World

_LITTLE_SCRATCH = 2**30
"""Bytes: a table of a million rows and a hundred columns takes most of it."""


def free_scratch() -> dict[str, int]:
    """Free bytes of each place for the node's copy of the table."""
    places = {"/dev/shm", tempfile.gettempdir()}  # noqa: S108  # where the table goes by default
    return {place: shutil.disk_usage(place).free for place in sorted(places) if Path(place).is_dir()}


def check_cores(world: World, threads: int) -> CheckResult:
    """Busy threads per core must be one."""
    own = sorted(len(location.cores) for location in world.locations)
    load = world.load(threads)
    text = f"each rank may use {own[0]} to {own[-1]} cores; {load:.1f} busy threads per core with --threads {threads}"
    if load > 1:
        return CheckResult(WARNING, "cores", f"{text}: start fewer ranks, or ask for more cores")
    if load < 1:
        return CheckResult(WARNING, "cores", f"{text}: cores stay idle; start more ranks, or use more --threads")
    return CheckResult(OK, "cores", text)


def check_binding(world: World) -> CheckResult:
    """Ranks of a node that are bound to parts of it must not be bound to the same parts."""
    for node in range(world.node_count):
        masks = {rank: own.cores for rank, own in enumerate(world.locations) if own.node == node}
        everything = frozenset().union(*masks.values())
        bound = {rank: mask for rank, mask in masks.items() if mask != everything or len(everything) == 1}
        pairs = [(a, b) for a in bound for b in bound if a < b and bound[a] & bound[b]]
        if pairs:
            a, b = pairs[0]
            shared = ", ".join(map(str, sorted(bound[a] & bound[b])))
            text = f"ranks {a} and {b} are both bound to core {shared}"
            return CheckResult(WARNING, "binding", f"{text}: mpirun --bind-to none, or srun --cpu-bind=cores")
    return CheckResult(OK, "binding", "no two ranks are bound to the same cores")


def check_scratch(free: Iterable[Mapping[str, int]]) -> CheckResult:
    """The least free bytes of each place over all ranks."""
    least: dict[str, int] = {}
    for place, space in (item for one in free for item in one.items()):
        least[place] = min(least.get(place, space), space)
    text = ", ".join(f"{name}: {space / 2**30:.1f} GiB free" for name, space in least.items())
    if max(least.values(), default=0) < _LITTLE_SCRATCH:
        return CheckResult(WARNING, "scratch", f"{text}: a large table will not fit; name a place with --scratch")
    return CheckResult(OK, "scratch", text)


def check_scheduler(slurm: str) -> CheckResult:
    """What Slurm says of this job; `slurm` is its version, empty without one."""
    job = JobEnvironment()
    found = [*([slurm] if slurm else []), *job.variables()]
    if not job.job_id:
        found.append("this is no job" if slurm else "none here")
    return CheckResult(OK, "Slurm", ", ".join(found))
