"""The processes below this one: listing and killing them, whatever they do to get away."""

from __future__ import annotations

import contextlib
import math
import os
import signal
from collections.abc import Collection
from pathlib import Path

from mpi_automl.evaluation import linux


class ProcessTree:
    """The processes below this one, listed again only when processes have been started on the node.

    The server adopts orphans, so a descendant stays below it however it detaches itself.
    """

    def __init__(self) -> None:
        self._root = os.getpid()
        self._strangers: set[int] = set()
        self._members: set[int] = set()
        self._last_started = b""

    def members(self) -> set[int]:
        """All living (or not yet reaped) descendants."""
        last_started = _last_started()
        if last_started != self._last_started:
            self._last_started = last_started
            self._update()
        return self._members

    def _update(self) -> None:
        present = linux.process_ids()
        self._strangers &= present
        self._members &= present
        new = present - self._strangers - self._members - {self._root}
        parents = {pid: linux.parent_of(pid) for pid in new}
        found = {self._root}
        while found:
            found = {pid for pid, parent in parents.items() if parent == self._root or parent in self._members}
            self._members |= found
            parents = {pid: parent for pid, parent in parents.items() if pid not in found}
        self._strangers |= parents.keys()


def _last_started() -> bytes:
    """The number last given to a process or thread; empty where the kernel does not tell."""
    return linux.read_line("/proc/loadavg").rpartition(b" ")[2]


def kill_descendants(since: float = math.inf) -> None:
    """Send SIGKILL to every process below this one.

    Processes are stopped first, so that none starts another while the rest is being listed. Shared-memory
    files that they made go with them, as these would outlive everybody who knows of them.

    Parameters
    ----------
    since : float
        Seconds since the epoch: what lies in /dev/shm, is mapped by one of the processes and is younger
        than this is theirs.
    """
    stopped: set[int] = set()
    while new := linux.descendants(os.getpid()) - stopped:
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        stopped |= new
    if since < math.inf:
        remove_shared_memory(stopped, since)
    for pid in stopped:
        _signal(pid, signal.SIGKILL)


def remove_shared_memory(pids: Collection[int], since: float) -> None:
    """Remove the files in /dev/shm that processes have mapped and that are younger than a moment."""
    for pid in pids:
        try:
            maps = Path(f"/proc/{pid}/maps").read_bytes()
        except OSError:
            continue
        for line in maps.splitlines():
            _, found, name = line.partition(b" /dev/shm/")
            path = Path("/dev/shm", os.fsdecode(name))
            with contextlib.suppress(OSError):
                if found and path.stat().st_ctime >= since:
                    path.unlink()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
