"""Which hyperparameters and columns matter: measured for a run, and kept in its directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpi_automl.ensemble.importance import Importance
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.run import Run


def measure_importance(world: World, run: Run, load: Callable[[], Any] | None, *, repeats: int = 5) -> dict[str, Any]:
    """Collective. Measure, and write the result to the run directory.

    Parameters
    ----------
    world : World
    run : Run
    load : callable or None
        Reads a table with rows that were not learned from, target included; called on every rank. Without it only
        hyperparameters are looked at.
    repeats : int
        Shuffles of each column.

    Returns
    -------
    dict
        On every rank: ``hyperparameters`` (name to share, see `mpi_automl.search.importance`), and ``columns``
        (``column``, ``mean`` and ``deviation`` of the growth of the cost, most important first).

    Raises
    ------
    UserError
        On every rank, if the table does not fit the run or there is no model.
    """
    columns: list[Importance] = []
    if load is not None:
        for part in world.gather(world.together(lambda: _columns(world, run, load(), repeats))):
            columns += part
    return world.on_root(lambda: _write(run, columns))


def _columns(world: World, run: Run, table: Any, repeats: int) -> list[Importance]:
    """Importance of this rank's share of the columns."""
    from mpi_automl.ensemble.importance import column_positions, permutation_importance
    from mpi_automl.metrics.registry import get_metric

    model = run.model
    schema = model.schema
    truth = schema.encode_target(getattr(table, "dense", table))
    positions = list(column_positions(schema).items())
    metric = get_metric(model.metric, schema.task_type, schema.units)
    return permutation_importance(
        lambda encoded: metric.cost(truth, model.predictions(encoded), schema.task_type),
        schema.encode(table),
        dict(positions[world.rank :: world.size]),
        repeats=repeats,
    )


def _write(run: Run, columns: list[Importance]) -> dict[str, Any]:
    found = {
        "hyperparameters": hyperparameter_importance(run),
        "columns": [asdict(column) for column in sorted(columns, key=lambda column: (-column.mean, column.column))],
    }
    if not columns:
        found["columns"] = run.directory.read_importance().get("columns", [])
    run.directory.write_importance(found)
    return found


def hyperparameter_importance(run: Run) -> dict[str, float]:
    """Share of the costs' variance by hyperparameter, see `mpi_automl.search.importance`; empty with few trials."""
    from mpi_automl.search import importance

    reader, records = run.reader, run.reader.records
    return importance.hyperparameter_importance(
        run.space.configspace, reader.vectors, records["cost"], records["status"], records["budget"]
    )
