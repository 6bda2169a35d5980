"""The lock of a run directory: one job at a time, and a job that died does not hold it for ever."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mpi_automl.errors import UserError
from mpi_automl.machine.scheduler import JobEnvironment

# Only the lock of a holder on another host is judged by its age; here its process is looked up.
_SILENT_SECONDS = 120.0
_TAKEOVER_POLL = 0.02


class RunLock:
    """A lock file with the job that holds it.

    The file is made with an exclusive create, which is atomic on NFS since version 3 and on every
    parallel file system, and needs no locking service. The holder touches it every few seconds. It is
    stale when its process is gone (same host), when it was left by an earlier attempt of the same
    requeued Slurm job, or when nobody has touched it for two minutes (another host).

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def acquire(self) -> str:
        """Take the lock.

        Returns
        -------
        str
            A sentence about the stale lock that was taken over; empty without one.

        Raises
        ------
        UserError
            If another job holds it, with its host, job id and time.
        """
        note = ""
        while not self._create():
            holder = self._holder()
            if holder is None:
                continue
            if not self._is_stale(holder):
                raise UserError(
                    f"{self._path.parent} is being written by another job ({_described(holder)}); "
                    f"wait for it, or choose another directory with --out. If that job was killed on another host, "
                    f"the lock is free {_SILENT_SECONDS:.0f} s after it."
                )
            self._remove_stale(holder)
            note = (
                f"The job that wrote {self._path.parent} before ({_described(holder)}) is gone; its lock is taken over."
            )
        return note

    def try_acquire(self) -> bool:
        """Take the lock unless a live job holds it; gives whether it is taken.

        Raises
        ------
        UserError
            If the file cannot be made.
        """
        while not self._create():
            holder = self._holder()
            if holder is None:
                continue
            if not self._is_stale(holder):
                return False
            self._remove_stale(holder)
        return True

    @property
    def is_ours(self) -> bool:
        """Whether this process holds the lock, by whichever object it took it."""
        holder = self._holder()
        return holder is not None and holder.get("place") == _place() and holder.get("pid") == os.getpid()

    def touch(self) -> None:
        """Show that the holder is alive; does nothing for a lock that another process holds."""
        if self.is_ours:
            with suppress(OSError):
                os.utime(self._path)

    def release(self) -> None:
        """Give the lock back; does nothing for a lock that another process holds."""
        if self.is_ours:
            self._path.unlink(missing_ok=True)

    def holder(self) -> str:
        """The live job that holds the lock, in words; empty without one."""
        found = self._holder()
        return "" if found is None or self._is_stale(found) else _described(found)

    def _create(self) -> bool:
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        except OSError as error:
            raise UserError(f"{self._path} cannot be made ({error.strerror}); choose another with --out.") from None
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(_own_facts(), file)
        return True

    def _holder(self) -> dict[str, Any] | None:
        try:
            text = self._path.read_text(encoding="utf-8")
            touched = self._path.stat().st_mtime
        except FileNotFoundError:
            return None
        try:
            facts: dict[str, Any] = json.loads(text)
        except ValueError:
            facts = {}
        return {**facts, "touched": touched}

    def _is_stale(self, holder: dict[str, Any]) -> bool:
        own = _own_facts()
        if own["job"] and holder.get("job") == own["job"] and holder.get("attempt") != own["attempt"]:
            return True
        if holder.get("place") == own["place"]:
            return _process_start(int(holder["pid"])) != str(holder["process_start"])
        return self._file_system_time() - float(holder["touched"]) > _SILENT_SECONDS

    def _file_system_time(self) -> float:
        # Clocks of hosts differ; times of files on one file system do not.
        probe = self._path.with_name(f".{self._path.name}.{socket.gethostname()}.{os.getpid()}")
        try:
            probe.touch()
            return probe.stat().st_mtime
        except OSError:
            return time.time()
        finally:
            probe.unlink(missing_ok=True)

    def _remove_stale(self, holder: dict[str, Any]) -> None:
        """Remove the lock, if it is still the one that was found stale."""
        # One job at a time looks again and removes: else a slow one could remove the lock of a quick one.
        marker = self._path.with_name(f".{self._path.name}.takeover")
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            self._forget_abandoned(marker)
            time.sleep(_TAKEOVER_POLL)
            return
        try:
            now = self._holder()
            if now is not None and now.get("token") == holder.get("token"):
                self._path.unlink(missing_ok=True)
        finally:
            marker.unlink(missing_ok=True)

    def _forget_abandoned(self, marker: Path) -> None:
        with suppress(FileNotFoundError):
            if self._file_system_time() - marker.stat().st_mtime > _SILENT_SECONDS:
                marker.unlink()


def _own_facts() -> dict[str, Any]:
    job = JobEnvironment()
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "place": _place(),
        "process_start": _process_start(os.getpid()),
        "job": job.job_id,
        "attempt": job.attempt,
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "token": os.urandom(8).hex(),
    }


def _place() -> str:
    """Where process numbers mean the same: a host since it was started, and a container on it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{socket.gethostname()} {os.getpid()}"


def _process_start(pid: int) -> str:
    """When a process began, in clock ticks since the host's start; empty when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _described(holder: dict[str, Any]) -> str:
    job = f", job {holder['job']}" if holder.get("job") else ""
    return (
        f"host {holder.get('host', 'unknown')}, process {holder.get('pid', '?')}{job}, since {holder.get('since', '?')}"
    )
