"""All runs of a study as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mpi_automl.atomic_write import atomic_write
from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError
from mpi_automl.metrics.registry import get_metric
from mpi_automl.study.results import RunArrays, RunResult
from mpi_automl.study.tables import digest_of_mapping

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.plan import PlannedRun, StudyPlan

CURVES = ("curve_seconds", "curve_validation", "curve_test")
"""Columns that hold a list in each row; in CSV, JSON text."""


def collect(directory: StudyDirectory, plan: StudyPlan) -> pd.DataFrame:
    """One row for each run of the plan, in its order, finished or not.

    Parameters
    ----------
    directory : StudyDirectory
    plan : StudyPlan

    Returns
    -------
    DataFrame
        Columns: ``study``, ``id``, ``table``, ``fold``, ``seed``, ``variant``; ``state``, ``error``; ``task_type``,
        ``metric`` (the one to compare by), ``score`` (its value on the outer test part), ``cost`` (its distance to the
        optimum), ``score_<name>`` for every metric of the study; ``optimised``, ``validation`` (what the run itself
        optimised, and its value on the validation rows); ``test_rows``; ``time``, ``run_seconds``,
        ``predict_seconds``, ``whole_seconds`` (limit, used, prediction of the test part, everything with reading the
        table); ``ranks``, ``threads``, ``cores``, ``hosts``, ``job``, ``group``, ``started``, ``ended`` (seconds since
        the epoch); ``trials``, ``trials_<status>``, ``utilisation`` (share of a rank's search time in which a trial
        ran), ``members``, ``is_dummy``; ``cpu_seconds``, ``memory_peak`` (MiB, other systems); ``table_hash``,
        ``settings_hash``, ``version_<package>``; and `CURVES`: seconds from the run's start, and values of
        ``optimised`` of each new best single model.

    Raises
    ------
    UserError
        If a metric of the study is unknown.
    """
    import pandas as pd

    return pd.DataFrame([_row(directory, plan, run) for run in plan.runs])


def _row(directory: StudyDirectory, plan: StudyPlan, run: PlannedRun) -> dict[str, Any]:
    row: dict[str, Any] = {
        "study": plan.name,
        "id": run.id,
        "table": run.table.name,
        "fold": run.fold,
        "seed": run.seed,
        "variant": run.variant.name,
        "by": "mpi_automl" if run.variant.system is None else " ".join(run.variant.system.command),
        "state": directory.state(run).state.value,
    }
    found = directory.read_result(run)
    if found is not None:
        result = RunResult.from_mapping(found)
        row |= _facts(run, result)
        if result.is_finished:
            row |= _scores(plan, run, result, directory.of(run) / result.attempt)
    return row


def _facts(run: PlannedRun, result: RunResult) -> dict[str, Any]:
    settings = run.settings
    facts: dict[str, Any] = {
        "error": result.error,
        "task_type": result.task_type,
        "time": settings.time,
        "run_seconds": result.run_seconds,
        "predict_seconds": result.predict_seconds,
        "whole_seconds": result.ended - result.started,
        "ranks": run.ranks,
        "threads": settings.threads,
        "cores": result.cores,
        "hosts": ",".join(dict.fromkeys(result.hosts)),
        "job": result.job,
        "group": result.group,
        "started": result.started,
        "ended": result.ended,
        "cpu_seconds": result.cpu_seconds,
        "memory_peak": result.memory_peak,
        "table_hash": run.table.digest,
        "settings_hash": digest_of_mapping(settings.to_mapping()),
        "attempt": result.attempt,
    }
    if (searched := result.searched) is not None:
        facts |= {
            "optimised": searched.metric,
            "validation": searched.validation,
            "trials": sum(searched.statuses.values()),
            **{f"trials_{status}": count for status, count in searched.statuses.items()},
            "utilisation": searched.utilisation,
            "members": searched.members,
            "is_dummy": searched.is_dummy,
        }
    return facts | {f"version_{name}": version for name, version in result.versions.items()}


def metrics_of(plan: StudyPlan, run: PlannedRun, task_type: TaskType) -> Sequence[str]:
    """Metrics to score a run by, the one to compare by first."""
    return plan.metrics.get(task_type.value) or (run.settings.metric,)


def _scores(plan: StudyPlan, run: PlannedRun, result: RunResult, attempt: Path) -> dict[str, Any]:
    arrays, task_type = RunArrays.read(attempt), TaskType(result.task_type)
    names = metrics_of(plan, run, task_type)
    values = {name: value_of(name, task_type, arrays) for name in names}
    values = {name: value for name, value in values.items() if value is not None}
    scores: dict[str, Any] = {"test_rows": len(arrays.truth)}
    if values:
        first = next(iter(values))
        compared = get_metric(first, task_type)
        scores |= {"metric": compared.name, "score": values[first], "cost": compared.cost_of(values[first])}
        scores |= {f"score_{get_metric(name, task_type).name}": value for name, value in values.items()}
    return scores | {name: getattr(arrays, name).tolist() for name in CURVES}


def value_of(name: str, task_type: TaskType, arrays: RunArrays) -> float | None:
    """A metric on the outer test part; None where it is not for this task type, NaN where it is not defined.

    Raises
    ------
    UserError
        If there is no such metric.
    """
    try:
        metric = get_metric(name, task_type)
    except UserError as error:
        if str(error).startswith("There is no metric"):
            raise
        return None
    try:
        return metric.value(arrays.truth, arrays.predictions, task_type)
    except ValueError:
        return float("nan")


def write_collected(directory: StudyDirectory, table: pd.DataFrame) -> tuple[Path, Path]:
    """Write the table as Parquet and as CSV.

    Raises
    ------
    UserError
        If they cannot be written.
    """
    parquet, csv = directory.path / "results.parquet", directory.path / "results.csv"
    flat = table.assign(
        **{name: table[name].map(lambda values: json.dumps(values)) for name in CURVES if name in table}
    )
    try:
        for path, write in ((parquet, table.to_parquet), (csv, flat.to_csv)):
            with atomic_write(path) as temporary:
                write(temporary, index=False)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be written: {error.strerror}.") from None
    return parquet, csv
