"""What a trial adds to the memory of the node, as the trial server measures it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

from mpi_automl.evaluation import linux

_EXACT_PAUSE = 4.0
"""After an exact measurement, wait this many times as long as it took: it costs a fifth of a core at most."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2
"""Seconds between two checks: 50 a second close to the limit and 5 far from it, which leaves the core to the trial."""
_FASTEST_GROWTH = 8192.0
"""MiB that the processes of a trial are thought to take in a second at most."""


class MemoryWatch:
    """What a trial adds to the memory of the node.

    The quick measure is the resident anonymous and shared memory of all its processes over what the
    first of them had when it was forked: never too little, but pages that several processes share count
    several times, and the parts of the table that were touched count where it lies in a tmpfs. Only when
    the quick measure passes the limit, each page is divided by the number of processes that share it
    (proportional set size, proc_pid_smaps(5)), the server being one of them, and only when shared memory
    matters, the table is separated from the rest.

    Parameters
    ----------
    baseline : float
        MiB of resident anonymous memory right after the fork.
    limit : float
        MiB.
    shared_inode : int
        Of the file with the table, which does not count.
    """

    def __init__(self, baseline: float, limit: float, shared_inode: int) -> None:
        self._baseline = baseline
        self._limit = limit
        self._shared_inode = str(shared_inode).encode()
        self._exact_again = 0.0
        self._times_over = 0
        self.used = 0.0
        self.peak = 0.0

    def exceeded(self, members: Collection[int]) -> bool:
        """Measure, and tell whether the limit is passed.

        By the exact measure it must be so twice in a row: processes come and go while they are measured.
        """
        if len(members) == 1 and self._is_within_quickly(*members):
            return False
        statuses = [linux.memory_status(pid) for pid in members]
        anonymous = sum(status.anonymous for status in statuses) - self._baseline
        self.used = anonymous + sum(status.shared for status in statuses)
        if len(members) == 1:
            self.peak = max(self.peak, anonymous)
            if anonymous > self._limit:
                return True
        if self.used <= self._limit:
            self._times_over = 0
            return False
        return self._exceeded_exactly(members)

    def _is_within_quickly(self, pid: int) -> bool:
        """Measure, and tell whether the limit is kept even with libraries and table counted, as it nearly always is."""
        anonymous, other = linux.resident_memory(pid)
        self.peak = max(self.peak, anonymous - self._baseline)
        self.used = anonymous + other - self._baseline
        if self.used > self._limit:
            return False
        self._times_over = 0
        return True

    def _exceeded_exactly(self, members: Collection[int]) -> bool:
        now = time.monotonic()
        if now < self._exact_again:
            return False
        self.used = min(self.used, self._attributed([*members, os.getpid()]) - self._baseline)
        self.peak = max(self.peak, self.used)
        self._exact_again = now + _EXACT_PAUSE * (time.monotonic() - now)
        self._times_over = self._times_over + 1 if self.used > self._limit else 0
        return self._times_over > 1

    @property
    def seconds_to_next_check(self) -> float:
        """Shorter the nearer the limit, which is the sooner reached."""
        return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, (self._limit - self.used) / _FASTEST_GROWTH))

    def _attributed(self, pids: Collection[int]) -> float:
        parts = [linux.proportional_memory(pid) for pid in pids]
        anonymous = sum(part.anonymous for part in parts)
        shared = sum(part.shared for part in parts)
        if anonymous > 0 and (shared == 0 or anonymous + shared - self._baseline <= self._limit):
            return anonymous + shared
        return sum(attributed_memory(pid, self._shared_inode) for pid in pids)

    def note(self, anonymous: float) -> None:
        """Take into account what the trial itself has measured, in MiB."""
        self.peak = max(self.peak, anonymous - self._baseline)


def attributed_memory(pid: int, without_inode: bytes) -> float:
    """MiB of anonymous and shared memory of a process, each page divided by the processes that map it.

    Parameters
    ----------
    pid : int
    without_inode : bytes
        Inode of a file whose pages do not count.
    """
    try:
        text = Path(f"/proc/{pid}/smaps").read_bytes()
    except OSError:
        return 0.0
    total = 0
    field = b""
    for line in text.splitlines():
        name, _, rest = line.partition(b" ")
        if not name.endswith(b":"):
            field = _field_that_counts(rest.split(None, 4), without_inode)
        elif name == field:
            total += int(rest.split()[0])
    return total / 1024


def _field_that_counts(region: list[bytes], without_inode: bytes) -> bytes:
    """Which line of a region in smaps says how much of it is the trial's own."""
    inode = region[3]
    path = region[4] if len(region) > 4 else b""
    if inode == without_inode:
        return b""
    is_memory = inode == b"0" or path.startswith((b"/dev/shm/", b"/memfd:", b"/SYSV", b"/dev/zero"))
    return b"Pss:" if is_memory else b"Anonymous:"
