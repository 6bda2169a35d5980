"""Tables that tell a person what a study will do and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from mpi_automl.study.directory import State
from mpi_automl.study.plan import core_hours, wall_seconds
from mpi_automl.study.work import idle_shares

if TYPE_CHECKING:
    from mpi_automl.study.directory import RunState, StudyDirectory
    from mpi_automl.study.plan import PlannedRun, StudyPlan

_SHOWN = 20


def plan_tables(plan: StudyPlan, directory: StudyDirectory, ranks: int | None) -> Iterator[Table | str]:
    """What will run, and what it costs."""
    tables = list(dict.fromkeys(run.table.name for run in plan.runs))
    variants = list(dict.fromkeys(run.variant.name for run in plan.runs))
    seeds = {run.seed for run in plan.runs}
    folds = max(run.split.folds for run in plan.runs)
    states = directory.states(plan.runs)
    left = [state.run for state in states if state.state not in (State.FINISHED, State.FAILED)]
    yield (
        f"{plan.name}: {len(plan.runs)} runs = {len(tables)} tables × {len(variants)} variants × {len(seeds)} seeds"
        f"{f' × {folds} folds' if folds > 1 else ''}, in {directory.path}"
    )
    yield f"Tables: {', '.join(tables)}"
    yield _variant_table(plan, left)
    yield f"All runs cost {plan.core_hours:.2f} core hours; {core_hours(left):.2f} of them are left ({len(left)} runs)."
    groups = max(1, (ranks or plan.ranks) // plan.ranks)
    yield (
        f"In {groups} group{'s' if groups > 1 else ''} of {plan.ranks} rank{'s' if plan.ranks > 1 else ''}, what is "
        f"left takes {_duration(wall_seconds(left, groups))} and a few seconds for each run."
    )


def _variant_table(plan: StudyPlan, left: Sequence[PlannedRun]) -> Table:
    table = Table(title="Variants", title_justify="left")
    for name in ("variant", "by", "time", "ranks", "threads", "runs", "left", "core hours"):
        table.add_column(name, justify="left" if name in ("variant", "by") else "right")
    for name in dict.fromkeys(run.variant.name for run in plan.runs):
        runs = [run for run in plan.runs if run.variant.name == name]
        system = runs[0].variant.system
        by = "mpi_automl" if system is None else " ".join(system.command)
        table.add_row(
            name,
            by,
            _duration(runs[0].seconds),
            str(plan.ranks),
            str(runs[0].settings.threads),
            str(len(runs)),
            str(sum(run.variant.name == name for run in left)),
            f"{core_hours(runs):.2f}",
        )
    return table


def status_tables(directory: StudyDirectory, plan: StudyPlan) -> Iterator[Table | str]:
    """How far each variant is, what failed, and how busy the groups of ranks were."""
    states = directory.states(plan.runs)
    yield f"{plan.name} in {directory.path}: {counts_line(states)}"
    table = Table(title_justify="left")
    for name in ("variant", *(state.value for state in State)):
        table.add_column(name, justify="left" if name == "variant" else "right")
    for name in dict.fromkeys(run.variant.name for run in plan.runs):
        counts = Counter(state.state for state in states if state.run.variant.name == name)
        table.add_row(name, *(str(counts[state]) for state in State))
    yield table
    for state in (State.RUNNING, State.HALF_WRITTEN, State.FAILED):
        yield from _listed([found for found in states if found.state is state], state)
    accounts = list(directory.read_groups())
    for job, share in idle_shares(accounts).items():
        started = [account["began"] - account["job_started"] for account in accounts if account["job"] == job]
        yield (
            f"Job {job}: {len(started)} groups, ready after {max(started):.0f} s; "
            f"they spent {share:.1%} of the time in no run while runs were left."
        )


def counts_line(states: Sequence[RunState]) -> str:
    """How many runs there are of each state."""
    counts = Counter(state.state for state in states)
    return ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state]) or "no runs"


def _listed(states: Sequence[RunState], state: State) -> Iterator[str]:
    for found in states[:_SHOWN]:
        lines = found.remark.strip().splitlines() or [""]
        remark = f": {lines[-1][:300]}" if lines[-1] else ""
        attempts = f", begun {found.attempts} times" if found.attempts > 1 else ""
        yield f"{state.value}: {found.run.id} ({found.run.title}{attempts}){remark}"
    if len(states) > _SHOWN:
        yield f"and {len(states) - _SHOWN} more {state.value}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
