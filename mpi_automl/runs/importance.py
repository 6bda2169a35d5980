"""Which hyperparameters and columns matter: measured for a run, and kept in its directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from mpi_automl.ensemble.importance import Importance
    from mpi_automl.parallel.world import World


def measure_importance(
    world: World, path: Path, load: Callable[[], Any] | None, *, repeats: int = 5, plugins: Sequence[str] = ()
) -> dict[str, Any]:
    """Collective. Measure, and write the result to the run directory.

    Parameters
    ----------
    world : World
    path : Path
        The run directory.
    load : callable or None
        Reads a table with rows that were not learned from, target included; called on every rank. Without it only
        hyperparameters are looked at.
    repeats : int
        Shuffles of each column.
    plugins : sequence of str
        Modules that register the components of the user's own that the run was made with.

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
        for part in world.gather(world.together(lambda: _columns(world, path, load(), repeats, plugins))):
            columns += part
    return world.on_root(lambda: _write(path, columns, plugins))


def _columns(world: World, path: Path, table: Any, repeats: int, plugins: Sequence[str]) -> list[Importance]:
    """Importance of this rank's share of the columns."""
    from mpi_automl.ensemble.importance import column_positions, permutation_importance
    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.metrics.registry import get_metric
    from mpi_automl.space.registry import import_plugins

    import_plugins(plugins)
    model = EnsembleModel.load(RunDirectory(path).model, trusted=plugins)
    schema = model.schema
    truth = schema.encode_target(getattr(table, "dense", table))
    positions = list(column_positions(schema).items())
    metric = get_metric(model.metric, schema.task_type)
    return permutation_importance(
        lambda encoded: metric.cost(truth, model.predictions(encoded), schema.task_type),
        schema.encode(table),
        dict(positions[world.rank :: world.size]),
        repeats=repeats,
    )


def _write(path: Path, columns: list[Importance], plugins: Sequence[str]) -> dict[str, Any]:
    from mpi_automl.search.importance import hyperparameter_importance

    directory, reader = RunDirectory(path), RunReader(path)
    space = RunFacts.of_directory(path, plugins=plugins).space.configspace
    records = reader.records
    found = {
        "hyperparameters": hyperparameter_importance(
            space, reader.vectors, records["cost"], records["status"], records["budget"]
        ),
        "columns": [asdict(column) for column in sorted(columns, key=lambda column: (-column.mean, column.column))],
    }
    if not columns:
        found["columns"] = directory.read_importance().get("columns", [])
    directory.write_importance(found)
    return found
