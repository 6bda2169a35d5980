"""What the batch system (Slurm, PBS, LSF) says about this job, from its environment variables and commands."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mpi_automl.errors import UserError
from mpi_automl.option_types import seconds

TIME_LEFT = "MPI_AUTOML_TIME_LEFT"
"""Environment variable with the time left, for batch systems that are not known here."""

_SLURM_JOB, _PBS_JOB, _LSF_JOB = "SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"
_SHOWN = (_SLURM_JOB, "SLURM_NNODES", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_NODE")
_TIMEOUT = 20.0
"""Seconds for a command of the batch system: a busy controller is slow, and the job's clock runs meanwhile."""
_CLOCK = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")


@dataclass(frozen=True)
class TimeLeft:
    """Until when the batch system lets the job run.

    Attributes
    ----------
    end : float
        In seconds since the epoch.
    source : str
        Who said so, for people.
    """

    end: float
    source: str


class JobEnvironment:
    """The job of a batch system that this process belongs to.

    Parameters
    ----------
    environ : mapping of str to str
        By default this process's environment variables.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    @property
    def job_id(self) -> str:
        """Number of the job; empty outside one."""
        return next((self._environ[name] for name in (_SLURM_JOB, _PBS_JOB, _LSF_JOB) if self._environ.get(name)), "")

    @property
    def attempt(self) -> str:
        """How often Slurm has requeued the job."""
        return self._environ.get("SLURM_RESTART_COUNT", "0")

    @property
    def cores_per_task(self) -> int | None:
        """What ``--cpus-per-task`` gave each task; None without it."""
        return self._number("SLURM_CPUS_PER_TASK")

    def memory_limits(self) -> Iterator[tuple[str, float]]:
        """Each variable that limits the memory of a node, with MiB."""
        # Slurm writes 0 for all of a node's memory.
        if for_node := self._number("SLURM_MEM_PER_NODE"):
            yield "SLURM_MEM_PER_NODE", float(for_node)
        for_core, cores = self._number("SLURM_MEM_PER_CPU"), self._number("SLURM_CPUS_ON_NODE")
        if for_core and cores:
            yield "SLURM_MEM_PER_CPU", float(for_core * cores)

    def variables(self) -> list[str]:
        """The variables that tell most about a Slurm job, as ``name=value``."""
        return [f"{name}={self._environ[name]}" for name in _SHOWN if name in self._environ]

    def time_left(self) -> TimeLeft | None:
        """Ask the environment, then Slurm, PBS and LSF; None when none of them tells.

        Runs a command of the batch system, so it belongs before MPI is initialised, and on one rank.

        Raises
        ------
        UserError
            If ``MPI_AUTOML_TIME_LEFT`` is set and is no time.
        """
        asked = time.time()
        for ask, source in (
            (self._own_variable, TIME_LEFT),
            (self._slurm_time_left, "Slurm"),
            (self._pbs_time_left, "PBS"),
            (self._lsf_time_left, "LSF"),
        ):
            left = ask()
            if left is not None:
                return TimeLeft(asked + left, source)
        return None

    def _number(self, name: str) -> int | None:
        text = self._environ.get(name, "")
        return int(text) if text.isdigit() and int(text) > 0 else None

    def _own_variable(self) -> float | None:
        text = self._environ.get(TIME_LEFT)
        if not text:
            return None
        try:
            return seconds(text)
        except ValueError:
            raise UserError(f"{TIME_LEFT} is {text!r}; it must be a time such as 90s, 15m or 2h.") from None

    def _slurm_time_left(self) -> float | None:
        if _SLURM_JOB not in self._environ:
            return None
        # Newer than Slurm 22.05; other nodes of an mpirun have it too.
        if (end := self._number("SLURM_JOB_END_TIME")) is not None:
            return end - time.time()
        return clock_seconds(_output("squeue", "-h", "-j", self._environ[_SLURM_JOB], "-o", "%L"))

    def _pbs_time_left(self) -> float | None:
        if _PBS_JOB not in self._environ:
            return None
        facts = dict(re.findall(r"^\s*([\w.]+) = (.+)$", _output("qstat", "-f", self._environ[_PBS_JOB]), re.MULTILINE))
        if facts.get("Walltime.Remaining", "").isdigit():
            return float(facts["Walltime.Remaining"])
        limit = clock_seconds(facts.get("Resource_List.walltime", self._environ.get("PBS_WALLTIME", "")))
        used = clock_seconds(facts.get("resources_used.walltime", ""))
        return None if limit is None or used is None else limit - used

    def _lsf_time_left(self) -> float | None:
        if _LSF_JOB not in self._environ:
            return None
        # "1:30 L" is one hour and a half up to a limit; other letters are estimates.
        found = re.search(r"(\d+):(\d+) L", _output("bjobs", "-noheader", "-o", "time_left", self._environ[_LSF_JOB]))
        return None if found is None else 3600.0 * int(found[1]) + 60.0 * int(found[2])


def slurm_version() -> str:
    """What Slurm's own command says, or nothing; runs a command, so it belongs before MPI is initialised."""
    return _output("sinfo", "--version").strip()


def clock_seconds(text: str) -> float | None:
    """Seconds of ``days-hours:minutes:seconds`` as batch systems write it, or of a plain number; None for a word."""
    text = text.strip()
    if text.isdigit():
        return float(text)
    if (found := _CLOCK.fullmatch(text)) is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return 86400.0 * days + 3600.0 * hours + 60.0 * minutes + rest


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
