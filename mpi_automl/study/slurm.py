"""A study as a Slurm job array, with a job behind it that collects."""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.study.plan import core_hours
from mpi_automl.study.queue import open_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.plan import PlannedRun, StudyPlan

_OVERHEAD = 60.0
"""Seconds of a run beyond its time: reading the table, predicting the test part, closing files."""
# Seconds for the start and the end of an array task.
_MARGIN = 300.0
_PATIENCE = 60.0


@dataclass(frozen=True)
class Submission:
    """Batch scripts, written and ready.

    Attributes
    ----------
    array, collect : Path
    runs, tasks : int
        How many runs are left, and tasks of the array.
    core_hours : float
        What the runs cost.
    """

    array: Path
    collect: Path
    runs: int
    tasks: int
    core_hours: float

    def described(self) -> str:
        """Both scripts, and what they will do."""
        scripts = [f"# {path}\n{path.read_text(encoding='utf-8')}" for path in (self.array, self.collect)]
        summary = f"{self.runs} runs in {self.tasks} array tasks, {self.core_hours:.2f} core hours"
        return "\n".join([*scripts, summary])


def prepare_submission(directory: StudyDirectory, plan: StudyPlan, *, again: bool) -> Submission:
    """Write the batch scripts for the runs that are left.

    Parameters
    ----------
    directory : StudyDirectory
    plan : StudyPlan
    again : bool
        Failed runs, too.

    Raises
    ------
    UserError
        If nothing is left to do.
    """
    before = time.time() if again else None
    runs = open_runs(directory, plan.runs, before)
    if not runs:
        raise UserError(f"Nothing is left to do in {directory.path}; failed runs are done again with --failed.")
    place = directory.path.resolve() / "submit"
    place.mkdir(exist_ok=True)
    tasks = min(len(runs), plan.slurm.tasks)
    array, collect = place / "array.sbatch", place / "collect.sbatch"
    array.write_text(_array_script(directory.path.resolve(), plan, runs, tasks, before), encoding="utf-8")
    collect.write_text(_collect_script(directory.path.resolve(), plan), encoding="utf-8")
    return Submission(array, collect, len(runs), tasks, core_hours(runs))


def submit(submission: Submission) -> list[str]:
    """Submit the array and, behind it, the job that collects; gives a sentence for each.

    Raises
    ------
    UserError
        If Slurm refuses.
    """
    array = _sbatch(submission.array)
    collect = _sbatch(submission.collect, f"--dependency=afterany:{array}")
    return [
        f"Submitted array {array} with {submission.tasks} tasks.",
        f"Submitted job {collect}, which collects when the array has ended.",
    ]


def _sbatch(script: Path, *options: str) -> str:
    command = ["sbatch", "--parsable", *options, str(script)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise UserError("There is no sbatch here; submit from a node with Slurm, or see --dry-run.") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"sbatch gave no answer within {_PATIENCE:.0f} s.") from None
    if done.returncode != 0:
        raise UserError(f"sbatch refused {script}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip().split(";")[0]


def _array_script(
    directory: Path, plan: StudyPlan, runs: Sequence[PlannedRun], tasks: int, before: float | None
) -> str:
    share = math.ceil(len(runs) / tasks)
    seconds = share * (max(run.seconds for run in runs) + _OVERHEAD) + _MARGIN
    threads = max(run.settings.threads for run in runs)
    words = ["study", "run", str(directory), "--most", str(share)]
    words += [] if before is None else ["--again-before", f"{before:.0f}"]
    options = [
        f"--job-name={_job_name(plan.name)}",
        f"--array=0-{tasks - 1}",
        f"--ntasks={plan.ranks}",
        f"--cpus-per-task={threads}",
        f"--time={math.ceil(seconds / 60)}",
        f"--output={directory}/submit/%A_%a.log",
        *plan.slurm.options,
    ]
    command = f"{plan.slurm.launch} -n {plan.ranks} {_program(words)}"
    return _script(options, plan.slurm.setup, [command])


def _collect_script(directory: Path, plan: StudyPlan) -> str:
    options = [
        f"--job-name={_job_name(plan.name)}-collect",
        "--ntasks=1",
        "--time=30",
        f"--output={directory}/submit/%j-collect.log",
        *plan.slurm.options,
    ]
    steps = (["study", "status", str(directory)], ["study", "collect", str(directory)])
    return _script(options, plan.slurm.setup, [_program(words) for words in steps])


def _program(words: Sequence[str]) -> str:
    return shlex.join([sys.executable, "-m", "mpi_automl", *words])


def _job_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def _script(options: Sequence[str], setup: str, commands: Sequence[str]) -> str:
    head = ["#!/usr/bin/env bash", *(f"#SBATCH {option}" for option in options), "set -eo pipefail"]
    return "\n".join([*head, *filter(None, [setup.strip()]), "set -x", *commands]) + "\n"
