"""Cores and memory of a node that a job may use, and whether ranks and threads fit on them."""

from __future__ import annotations

import os
from pathlib import Path


def usable_cores() -> frozenset[int]:
    """Cores in this process's affinity mask, which a launcher or Slurm may have narrowed."""
    return frozenset(os.sched_getaffinity(0))


def oversubscription(masks: list[frozenset[int]], threads: int) -> float:
    """Busy threads per core on one node.

    Parameters
    ----------
    masks : list of frozenset of int
        Affinity mask of each rank on the node.
    threads : int
        Threads of one evaluation.
    """
    cores = frozenset().union(*masks)
    return len(masks) * threads / len(cores)


def node_memory() -> float:
    """MiB that this process's node has, or that its job or container is allowed."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20]
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text) / 2**20)
    if os.environ.get("SLURM_MEM_PER_NODE", "").isdigit():
        found.append(float(os.environ["SLURM_MEM_PER_NODE"]))
    return min(found)
