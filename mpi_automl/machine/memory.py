"""Memory of a node that a job may use: what is there, what Slurm gave, what control groups allow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mpi_automl.machine.scheduler import JobEnvironment

_CGROUP_FILES = {"": "memory.max", "memory": "memory.limit_in_bytes"}
"""File with the limit, by controller: cgroup v2 has one tree, v1 one for each controller."""


@dataclass(frozen=True)
class NodeMemory:
    """What a job may use of a node's memory.

    Attributes
    ----------
    mebibytes : float
    source : str
        Who sets the limit, for people.
    """

    mebibytes: float
    source: str

    def describe(self) -> str:
        """In a few words."""
        return f"{self.source} {self.mebibytes:,.0f} MiB"


def node_memory(
    environ: Mapping[str, str] = os.environ,
    membership: Path = Path("/proc/self/cgroup"),
    groups: Path = Path("/sys/fs/cgroup"),
) -> NodeMemory:
    """The tightest limit for this process's job on this process's node."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    found = [NodeMemory(physical, "the node has"), *_scheduler(environ), *_control_groups(membership, groups)]
    return min(found, key=lambda memory: memory.mebibytes)


def _scheduler(environ: Mapping[str, str]) -> Iterator[NodeMemory]:
    for variable, mebibytes in JobEnvironment(environ).memory_limits():
        yield NodeMemory(mebibytes, f"{variable} allows")


def _control_groups(membership: Path, groups: Path) -> Iterator[NodeMemory]:
    """Limits of the groups that this process is in and of those above them, proc(5) and cgroups(7)."""
    try:
        lines = membership.read_text(encoding="ascii").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        controller = next((name for name in controllers.split(",") if name in _CGROUP_FILES), None)
        if controller is None:
            continue
        # In a container the path may be the host's, and only the top of the tree is there.
        group = groups / controller / path.lstrip("/")
        for place in (group, *group.parents):
            if not place.is_relative_to(groups / controller):
                break
            limit = _limit(place / _CGROUP_FILES[controller])
            if limit is not None:
                yield NodeMemory(limit, "the control group allows")


def _limit(file: Path) -> float | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) / 2**20 if text.isdigit() else None
