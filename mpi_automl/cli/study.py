"""``mpi-automl study``: many runs planned from one file, executed, collected and compared."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.job.signals import TO_BE_RESUMED
from mpi_automl.machine.launcher import detect_launch

if TYPE_CHECKING:
    from mpi_automl.study.definition import Study, Variant
    from mpi_automl.study.directory import State, StudyDirectory
    from mpi_automl.study.plan import PlannedRun, StudyPlan
    from mpi_automl.study.results import RunResult

_STEPS = {
    "plan": "what will run, and what it costs",
    "run": "do the runs that are left: under mpirun in groups of ranks, else one after the other",
    "resume": "as run, and failed runs again",
    "submit": "have a Slurm job array do the runs that are left, and collect them",
    "status": "how far the study is",
    "collect": "one row for each run, as Parquet and CSV",
    "report": "tables, tests and figures that compare the variants",
}
_RUNNING = ("run", "resume")
"""Steps that do runs, and may be collective."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the steps of a study and their options."""
    steps = parser.add_subparsers(metavar="STEP", dest="step", required=True)
    for name, summary in _STEPS.items():
        step = steps.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        step.add_argument(
            "study", metavar="STUDY", type=Path, help="the study's TOML file, or the directory of a study begun before"
        )
        step.add_argument("--out", metavar="DIR", type=Path, help="directory of the study; default: what the file says")
        _add_options(name, step)
        launcher = "mpirun -n 16 " if name in _RUNNING else ""
        step.epilog = f"Example: {launcher}mpi-automl study {name} sharing.toml"
    parser.epilog = "Example: mpirun -n 16 mpi-automl study run sharing.toml"


def _add_options(name: str, step: argparse.ArgumentParser) -> None:
    if name in _RUNNING:
        step.add_argument("--most", metavar="N", type=int, help="runs that each group takes at most")
        step.add_argument("--again-before", metavar="TIME", type=float, help=argparse.SUPPRESS)
    if name == "plan":
        step.add_argument("--ranks", metavar="N", type=int, help="ranks of all groups together, to tell the wall time")
    if name == "submit":
        step.add_argument("--dry-run", action="store_true", help="print the batch scripts and submit nothing")
        step.add_argument("--failed", action="store_true", help="failed runs again, too")
    if name == "report":
        step.add_argument(
            "--metric", metavar="METRIC", help="metric to compare by; default: the first of each task type"
        )
        step.add_argument("--rope", metavar="SHARE", type=float, default=0.01, help=_ROPE)


_ROPE = "difference of scores up to which two variants count as equal; default: 0.01"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    step = {
        "plan": _plan,
        "run": _work,
        "resume": _work,
        "submit": _submit,
        "status": _status,
        "collect": _collect,
        "report": _report,
    }[arguments.step]
    if step is not _work and not detect_launch().speaks:
        return 0
    return step(arguments)


@dataclass(frozen=True)
class _Given:
    """What the command line names: a study's file, or the directory of a study begun before."""

    directory: StudyDirectory
    study: Study | None
    variants: tuple[Variant, ...]
    ranks: int
    known: StudyPlan | None

    def plan(self) -> StudyPlan:
        """The plan; made anew from a file."""
        from mpi_automl.study.plan import make_plan

        if self.known is not None:
            return self.known
        assert self.study is not None
        return make_plan(self.study)

    def planned(self) -> StudyPlan:
        """The plan, written into the directory."""
        plan = self.plan()
        if self.study is not None:
            self.directory.write_plan(plan, self.study.path)
        return plan


def _given(arguments: argparse.Namespace) -> _Given:
    from mpi_automl.study.definition import read_study
    from mpi_automl.study.directory import StudyDirectory

    if arguments.study.is_dir():
        if arguments.out is not None:
            raise UserError("--out goes with a study's file; the directory of a study is named already.")
        directory = StudyDirectory.existing(arguments.study)
        plan = directory.read_plan()
        variants = {run.variant.name: run.variant for run in plan.runs}
        return _Given(directory, None, tuple(variants.values()), plan.ranks, plan)
    study = read_study(arguments.study, arguments.out)
    return _Given(StudyDirectory(study.directory), study, study.variants, study.ranks, None)


def _print(tables: Iterable[Any]) -> None:
    from mpi_automl.cli.console import make_console

    console = make_console()
    for table in tables:
        console.print(table, markup=False) if isinstance(table, str) else console.print(table)


def _plan(arguments: argparse.Namespace) -> int:
    from mpi_automl.cli.study_tables import plan_tables

    given = _given(arguments)
    _print(plan_tables(given.plan(), given.directory, arguments.ranks))
    return 0


def _work(arguments: argparse.Namespace) -> int:
    """Collective. Do runs on the ranks that the launcher started, or on ranks started for each run."""
    given, launch = _given(arguments), detect_launch()
    again = arguments.again_before
    if again is None and arguments.step == "resume":
        again = time.time()
    if not launch.is_parallel and given.ranks > 1:
        return _work_on_own_ranks(given, again, arguments.most)
    from mpi_automl.job.session import start_ranks
    from mpi_automl.job.time_budget import last_run_end
    from mpi_automl.study.rank_services import RankServices
    from mpi_automl.study.work import RunChoice, work

    with RankServices(given.variants) as services, start_ranks(needs_time_left=True) as ranks:
        world = ranks.world
        plan = world.on_root(given.planned)
        choice = world.on_root(lambda: RunChoice(again, arguments.most, last_run_end(ranks.time_left)))
        if world.is_root:
            _say_start(plan, world.size)
        was_stopped = work(ranks, services, given.directory, plan, choice, _teller(given.directory, plan))
        does_share = arguments.most is not None and not was_stopped
        return int(world.on_root(lambda: _end(given.directory, plan, leaves_rest=does_share)))


def _work_on_own_ranks(given: _Given, again: float | None, most: int | None) -> int:
    from mpi_automl.study.local import launch_group

    plan = given.planned()
    words = ["study", "run", str(given.directory.path)]
    words += [] if again is None else ["--again-before", str(again)]
    words += [] if most is None else ["--most", str(most)]

    def states() -> Counter[State]:
        return Counter(state.state for state in given.directory.states(plan.runs))

    return launch_group(words, given.ranks, states)


def _say_start(plan: StudyPlan, size: int) -> None:
    groups = size // plan.ranks
    left_over = size % plan.ranks
    print(
        f"{plan.name}: {len(plan.runs)} runs, {groups} group{'s' if groups > 1 else ''} of {plan.ranks} "
        f"rank{'s' if plan.ranks > 1 else ''}",
        flush=True,
    )
    if left_over:
        print(f"note: {left_over} ranks are left over, as groups have {plan.ranks}.", flush=True)


def _teller(directory: StudyDirectory, plan: StudyPlan) -> Any:
    """What is printed after each run of rank 0's group."""

    def tell(run: PlannedRun, result: RunResult) -> None:
        how = f"{result.ended - result.started:.0f} s" if result.is_finished else f"failed: {_last_line(result.error)}"
        done = sum(len(group["runs"]) for group in directory.read_groups() if group["job"] == result.job)
        # A study must not end because its output has nowhere to go.
        with suppress(OSError):
            print(f"{run.title}: {how} | this job has done {done} of {len(plan.runs)}", flush=True)

    return tell


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][:200]


def _end(directory: StudyDirectory, plan: StudyPlan, *, leaves_rest: bool) -> int:
    """Say how far the study is; gives the exit status."""
    from mpi_automl.cli.study_tables import counts_line
    from mpi_automl.study.directory import State

    states = directory.states(plan.runs)
    print(f"{counts_line(states)}; mpi-automl study status {directory.path} tells more", flush=True)
    left = any(state.state in (State.WAITING, State.HALF_WRITTEN) for state in states)
    if left and not leaves_rest:
        return TO_BE_RESUMED
    return 1 if any(state.state is State.FAILED for state in states) else 0


def _submit(arguments: argparse.Namespace) -> int:
    from mpi_automl.study.slurm import prepare_submission, submit

    given = _given(arguments)
    plan = given.planned()
    submission = prepare_submission(given.directory, plan, again=arguments.failed)
    print(submission.described())
    if arguments.dry_run:
        return 0
    for line in submit(submission):
        print(line)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from mpi_automl.cli.study_tables import status_tables
    from mpi_automl.study.directory import StudyDirectory

    given = _given(arguments)
    directory = StudyDirectory.existing(given.directory.path)
    _print(status_tables(directory, directory.read_plan()))
    return 0


def _collect(arguments: argparse.Namespace) -> int:
    from mpi_automl.study.collect import collect, write_collected
    from mpi_automl.study.directory import StudyDirectory

    given = _given(arguments)
    directory = StudyDirectory.existing(given.directory.path)
    table = collect(directory, directory.read_plan())
    paths = write_collected(directory, table)
    print(f"{len(table)} runs, {(table['state'] == 'finished').sum()} of them finished: {', '.join(map(str, paths))}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from mpi_automl.study.collect import collect
    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.report import write_report

    given = _given(arguments)
    directory = StudyDirectory.existing(given.directory.path)
    plan = directory.read_plan()
    page = write_report(directory, plan, collect(directory, plan), metric=arguments.metric, rope=arguments.rope)
    print(page)
    return 0
