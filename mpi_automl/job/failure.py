"""What a job that fails leaves: a result from the ranks that answered, a command to resume, an end in any case."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.parallel.world import World
from mpi_automl.runs.rebuild import rebuild_ensemble
from mpi_automl.runs.run import Run
from mpi_automl.storage.run_directory import INTERRUPTED

if TYPE_CHECKING:
    from mpi_automl.job.observer import Observer
    from mpi_automl.job.plan import Plan
    from mpi_automl.parallel.stack_dump import StackDump
    from mpi_automl.settings import Settings

RESULT_SECONDS = 300.0
"""Seconds that rank 0 may take to build a result alone, and that a job may outlive its time."""


def build_partial_result(plan: Plan, settings: Settings, world: World, observer: Observer) -> None:
    """On rank 0, build the result from the files when ranks are missing; other ranks do nothing.

    The run can be resumed afterwards: what the missing ranks had committed is in the result too.
    """
    if not world.is_root:
        return
    run = Run(plan.directory, plugins=settings.plugins)
    summary = rebuild_ensemble(World(None, world.started), run)
    run.directory.write_status({"state": INTERRUPTED})
    observer.concluded(summary)


def resume_advice(settings: Settings, directory: Path) -> str:
    """The command that resumes a run, for the last line of a job that failed."""
    place = shlex.quote(str(directory))
    if settings.table is None:
        return f"What was finished is kept; resume with the same command and --resume {place}"
    return f"What was finished is kept; resume with: mpi-automl fit --resume {place}"


def limit_exit(plan: Plan, world: World, stack_dump: StackDump) -> None:
    """From here on, a rank that is stuck ends the job some minutes after its time."""
    if world.comm is not None:
        stack_dump.allow(max(0.0, plan.time.deadline - world.now()) + RESULT_SECONDS)
