"""``mpi-automl show``: what a run found."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.machine.launcher import detect_launch

if TYPE_CHECKING:
    from mpi_automl.runs.run import Run

_BEST = 10
_UNFINISHED = {
    "interrupted": "the run was interrupted; this is the ensemble of its latest leg.",
    "killed": "the job was killed; this is the latest ensemble that was built.",
}
_MAY_RESUME = "It can be resumed."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory, also of a running or killed job")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.epilog = "Example: mpi-automl show runs/price"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    from mpi_automl.cli.console import make_console
    from mpi_automl.cli.tables import (
        ensemble_tables,
        importance_tables,
        outcome_tables,
        trial_tables,
        unfinished_lines,
    )
    from mpi_automl.runs.run import Run
    from mpi_automl.storage.run_directory import FINISHED, RUNNING

    run = Run(arguments.directory)
    if arguments.json:
        print(json.dumps(_facts(run), indent=2))
        return 0
    console = make_console()
    tables: Iterator[Any]
    state, is_running = run.state, run.state == RUNNING
    if run.summary is not None and not is_running:
        if state != FINISHED:
            console.print(f"{run.path}: {_UNFINISHED[state]} {_MAY_RESUME}", markup=False)
        tables = chain(outcome_tables(run.summary), unfinished_lines(run.reader))
    else:
        console.print(f"{run.path}: the run has not finished; this is what its store holds.", markup=False)
        earlier = [] if run.summary is None else ensemble_tables(run.summary)
        tables = chain(trial_tables(run, _BEST, is_running=is_running), earlier)
    for table in (*tables, *importance_tables(run.directory.read_importance())):
        console.print(table, markup=False) if isinstance(table, str) else console.print(table)
    return 0


def _value(run: Run, cost: float) -> dict[str, Any]:
    from mpi_automl.cli.tables import metric_of

    metric = metric_of(run)
    return {"cost": cost} if metric is None else {"metric": metric.name, "value": float(metric.value_of(cost))}


def _facts(run: Run) -> dict[str, Any]:
    directory, reader = run.directory, run.reader
    facts: dict[str, Any] = {
        "state": run.state,
        "trials": reader.trials()["status"].value_counts().to_dict(),
        "begun_without_end": [str(key) for key in reader.in_flight().keys],
        "quarantined": len(reader.quarantined()),
    }
    if len(run.ranking):
        best = reader.keys[run.ranking[0]]
        facts["best"] = {"trial": str(best), **_value(run, float(reader.cost(best)))}
    facts |= directory.read_ensemble() if directory.ensemble.exists() else {}
    importance = directory.read_importance()
    return facts | ({"importance": importance} if importance else {})
