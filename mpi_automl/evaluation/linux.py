"""What the trial server asks of Linux and Python's standard library has no function for."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MIB = 2**20
_PAGE = os.sysconf("SC_PAGE_SIZE") / _MIB
_PROC = Path("/proc")

_LIBC = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel signal this process when its parent dies (PR_SET_PDEATHSIG, prctl(2)).

    Parameters
    ----------
    parent : int
        The expected parent; if it is already gone, the process ends at once.
    """
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own (PR_SET_CHILD_SUBREAPER, prctl(2))."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def limit_private_memory(additional: float) -> None:
    """Let this process map at most so much more private writable memory, used or not.

    This is RLIMIT_DATA (getrlimit(2)), which since Linux 4.7 counts all private writable maps. The
    soft limit alone is set, so that `lift_memory_limit` can make room for a last message.

    Parameters
    ----------
    additional : float
        MiB.
    """
    now = memory_status(os.getpid()).private_virtual
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int((now + additional) * _MIB)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def lift_memory_limit() -> None:
    """Undo `limit_private_memory`."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def volunteer_for_oom_killer() -> None:
    """Ask the kernel to take this process rather than others when the node runs out of memory."""
    try:
        # Of at most 1,000: as if 80 % of the node's memory were added to its own (proc(5)).
        (_PROC / "self/oom_score_adj").write_text("800")
    except OSError:
        return


def give_back_free_memory() -> None:
    """Return memory that this process has freed to the system (malloc_trim(3), where the C library has it)."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)


class MemoryStatus:
    """Memory of a process in MiB, from the lines of ``/proc/<pid>/status`` or ``smaps_rollup``.

    Attributes
    ----------
    anonymous, shared : float
        Resident anonymous memory, and resident shared memory (files in a tmpfs included); in
        ``smaps_rollup`` each page divided by the number of processes that share it.
    private_virtual : float
        Private writable maps, resident or not.
    """

    __slots__ = ("anonymous", "private_virtual", "shared")

    def __init__(self, text: bytes) -> None:
        self.anonymous = (_kilobytes(text, b"\nRssAnon:") or _kilobytes(text, b"\nPss_Anon:")) / 1024
        self.shared = (_kilobytes(text, b"\nRssShmem:") or _kilobytes(text, b"\nPss_Shmem:")) / 1024
        self.private_virtual = _kilobytes(text, b"\nVmData:") / 1024

    @property
    def resident(self) -> float:
        """MiB that would be freed if the process and those that share with it ended."""
        return self.anonymous + self.shared


def _kilobytes(text: bytes, name: bytes) -> int:
    start = text.find(name)
    return int(text[start + len(name) :].split(None, 1)[0]) if start >= 0 else 0


def resident_memory(pid: int) -> tuple[float, float]:
    """MiB of resident memory of a process, anonymous and other; the quickest look there is. Zeros without a process."""
    fields = read_line(f"{_PROC}/{pid}/statm").split()
    if len(fields) < 3:
        return 0.0, 0.0
    resident, other = int(fields[1]), int(fields[2])
    return (resident - other) * _PAGE, other * _PAGE


def read_line(path: str) -> bytes:
    """A line that the kernel makes for each reader; empty where it does not."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 512)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def memory_status(pid: int) -> MemoryStatus:
    """Memory of a process; zeros if there is none."""
    return _memory(f"{pid}/status")


def proportional_memory(pid: int) -> MemoryStatus:
    """Memory of a process with shared pages divided; zeros if there is none, or before Linux 5.4."""
    return _memory(f"{pid}/smaps_rollup")


def _memory(file: str) -> MemoryStatus:
    try:
        return MemoryStatus((_PROC / file).read_bytes())
    except OSError:
        return MemoryStatus(b"")


def parent_of(pid: int) -> int:
    """The parent of a process; 0 if there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return 0
    return int(text.rpartition(b")")[2].split(None, 2)[1])


def process_ids() -> set[int]:
    """All processes that can be seen."""
    return {int(name) for name in os.listdir(_PROC) if name.isdecimal()}  # noqa: PTH208  # called fifty times a second


def descendants(root: int) -> set[int]:
    """All processes below one, without itself."""
    parents = {pid: parent_of(pid) for pid in process_ids()}
    found: set[int] = set()
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level and pid not in found}
        found |= level
    return found


def oom_kills() -> int:
    """How often the kernel's out-of-memory killer has struck on this node since it started."""
    try:
        return _kilobytes(b"\n" + (_PROC / "vmstat").read_bytes(), b"\noom_kill")
    except OSError:
        return 0
