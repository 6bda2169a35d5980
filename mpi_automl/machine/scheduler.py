"""``--time auto``: the time that the batch system leaves this job, asked before MPI is initialised."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.options import AUTO, seconds
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.parallel.world import World

VARIABLE = "MPI_AUTOML_TIME_LEFT"
"""Environment variable with the time left, for batch systems that are not known here."""

_PATIENCE = 20.0
_LONGEST_MARGIN = 20.0
_MARGIN_SHARE = 0.05
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


def find_time_left(environ: Mapping[str, str] = os.environ) -> TimeLeft | None:
    """Ask the environment, then Slurm, PBS and LSF; None when none of them tells.

    Runs a command of the batch system, so it belongs before MPI is initialised, and on one rank.

    Raises
    ------
    UserError
        If ``MPI_AUTOML_TIME_LEFT`` is set and is no time.
    """
    asked = time.time()
    for ask, source in (
        (_from_environment, VARIABLE),
        (_from_slurm, "Slurm"),
        (_from_pbs, "PBS"),
        (_from_lsf, "LSF"),
    ):
        left = ask(environ)
        if left is not None:
            return TimeLeft(asked + left, source)
    return None


def ask_time_left(settings: Settings) -> TimeLeft | UserError | None:
    """As `find_time_left` if the settings want it; a mistake is given back, for all ranks to leave together."""
    if settings.time != AUTO:
        return None
    try:
        return find_time_left()
    except UserError as error:
        return error


def with_time_left(settings: Settings, world: World, found: TimeLeft | UserError | None) -> Settings:
    """Collective. Put seconds in the place of ``--time auto``; other settings pass unchanged.

    Up to 20 s, and at most a twentieth, are left for what comes after the job.

    Parameters
    ----------
    settings : Settings
    world : World
    found : TimeLeft, UserError or None
        What `ask_time_left` gave; used on rank 0 only.

    Raises
    ------
    UserError
        On every rank, when nothing told how much time is left, or none is.
    """
    if settings.time != AUTO:
        return settings

    def job_seconds() -> float:
        if isinstance(found, UserError):
            raise found
        if found is None:
            raise UserError(
                "--time auto found no Slurm, PBS or LSF job with a time limit; "
                f"give --time, such as --time 1h, or export {VARIABLE}."
            )
        whole = found.end - world.started
        left = whole - min(_LONGEST_MARGIN, _MARGIN_SHARE * whole)
        if left < 1:
            raise UserError(
                f"--time auto: {found.source} leaves this job no time; submit it again with a longer limit."
            )
        return left

    return replace(settings, time=world.on_root(job_seconds))


def _from_environment(environ: Mapping[str, str]) -> float | None:
    if not environ.get(VARIABLE):
        return None
    try:
        return seconds(environ[VARIABLE])
    except ValueError:
        raise UserError(f"{VARIABLE} is {environ[VARIABLE]!r}; it must be a time such as 90s, 15m or 2h.") from None


def _from_slurm(environ: Mapping[str, str]) -> float | None:
    if "SLURM_JOB_ID" not in environ:
        return None
    # Newer than Slurm 22.05; other nodes of an mpirun have it too.
    if environ.get("SLURM_JOB_END_TIME", "").isdigit():
        return int(environ["SLURM_JOB_END_TIME"]) - time.time()
    return clock_seconds(_output("squeue", "-h", "-j", environ["SLURM_JOB_ID"], "-o", "%L"))


def _from_pbs(environ: Mapping[str, str]) -> float | None:
    if "PBS_JOBID" not in environ:
        return None
    facts = dict(re.findall(r"^\s*([\w.]+) = (.+)$", _output("qstat", "-f", environ["PBS_JOBID"]), re.MULTILINE))
    if facts.get("Walltime.Remaining", "").isdigit():
        return float(facts["Walltime.Remaining"])
    limit = clock_seconds(facts.get("Resource_List.walltime", environ.get("PBS_WALLTIME", "")))
    used = clock_seconds(facts.get("resources_used.walltime", ""))
    return None if limit is None or used is None else limit - used


def _from_lsf(environ: Mapping[str, str]) -> float | None:
    if "LSB_JOBID" not in environ:
        return None
    # "1:30 L" is one hour and a half up to a limit; other letters are estimates.
    found = re.search(r"(\d+):(\d+) L", _output("bjobs", "-noheader", "-o", "time_left", environ["LSB_JOBID"]))
    return None if found is None else 3600.0 * int(found[1]) + 60.0 * int(found[2])


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
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
