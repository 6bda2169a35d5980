"""``mpi-automl evaluate``: how good a run's ensemble is on a labelled table."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.cli.options import add_plugins, plugins_from
from mpi_automl.option_types import names

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from mpi_automl.runs.evaluate import Evaluation, Groups
    from mpi_automl.runs.run import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    parser.add_argument("table", metavar="TABLE", help="rows that were not learned from, target included")
    parser.add_argument(
        "--metrics", metavar="NAMES", help="metrics, with commas between them; default: all that fit the target"
    )
    parser.add_argument(
        "--by",
        metavar="COLUMN",
        help="also for each value of this column of TABLE, by the metrics named, or else the metric of the run",
    )
    parser.add_argument(
        "--level", metavar="LEVEL", type=float, default=0.95, help="confidence level of the intervals; default: 0.95"
    )
    parser.add_argument(
        "--resamples", metavar="N", type=int, default=1000, help="bootstrap resamples; 0: no intervals; default: 1000"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the resamples; default: 0")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs, with intervals of both kinds")
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl evaluate runs/price test.csv --by region (also under mpirun)"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; gives the exit status."""
    from mpi_automl.metrics.bootstrap import Bootstrap

    bootstrap = Bootstrap(arguments.level, arguments.resamples, arguments.seed)
    from mpi_automl.job.session import start_ranks
    from mpi_automl.runs.evaluate import baseline_prediction, evaluate_model
    from mpi_automl.runs.run import Run

    source = Run(arguments.directory, plugins=plugins_from(arguments))
    with start_ranks() as ranks:
        world = ranks.world
        table, groups = world.together(lambda: _rows(source, arguments.table, arguments.by))
        found = evaluate_model(
            world,
            source.model,
            table,
            getattr(table, "dense", table),
            baseline=world.on_root(lambda: baseline_prediction(source)),
            metrics=names(arguments.metrics or ()),
            groups=groups,
            bootstrap=bootstrap,
        )
    if world.is_root:
        _print(found, as_json=arguments.json, by=arguments.by)
    return 0


def _rows(run: Run, source: str, by: str | None) -> tuple[Any, Groups | None]:
    """The table, and the groups of its rows."""
    from mpi_automl.data.read import read_table
    from mpi_automl.data.table import resolved_names, unknown_column
    from mpi_automl.runs.evaluate import Groups
    from mpi_automl.storage.table import READERS

    table = read_table(source, readers=READERS, texts=run.model.schema.text_columns)
    if by is None:
        return table, None
    frame: Any = getattr(table, "dense", table)
    (name,) = resolved_names((by,), list(frame.columns))
    if name not in frame.columns:
        raise unknown_column(name, list(frame.columns), "--by")
    return table, Groups(name, frame[name])


def _print(found: Evaluation, *, as_json: bool, by: str | None) -> None:
    if as_json:
        print(json.dumps(found.to_mapping(), indent=2, allow_nan=False))
        return
    from mpi_automl.cli.console import make_console

    console = make_console()
    for table in _tables(found, by):
        console.print(table)
    for note in found.notes:
        console.print(note, markup=False)


def _tables(found: Evaluation, by: str | None) -> Iterator[Table | str]:
    bootstrap = found.bootstrap
    title = f"{found.rows} rows"
    if bootstrap.resamples:
        title += (
            f", {100 * bootstrap.level:g} % bootstrap intervals (BCa and percentile, {bootstrap.resamples} resamples, "
            f"seed {bootstrap.seed})"
        )
    yield _table(title, found.metrics, ("baseline",))
    if len(found.classes):
        yield _table("Classes", found.classes, ("support",))
    if len(found.groups):
        yield _table(f"Groups by {by}", found.groups, ("rows", "baseline"))


def _table(title: str, frame: pd.DataFrame, further: tuple[str, ...]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    has_intervals = frame["percentile_low"].notna().any()
    shown = Table(title=escape(title), title_justify="left")
    for name in frame.index.names:
        shown.add_column(str(name))
    for name in ("value", *(("BCa", "percentile") if has_intervals else ()), *further):
        shown.add_column(name, justify="right")
    for key, row in zip(frame.index, frame.to_dict("records"), strict=True):
        intervals = (_interval(row, kind) for kind in (("bca", "percentile") if has_intervals else ()))
        labels = key if isinstance(key, tuple) else (key,)
        cells = (*labels, _number(row["value"]), *intervals, *(_number(row[name]) for name in further))
        shown.add_row(*(escape(str(cell)) for cell in cells))
    return shown


def _interval(row: dict[str, Any], kind: str) -> str:
    low, high = row[f"{kind}_low"], row[f"{kind}_high"]
    return f"{_number(low)} to {_number(high)}" if low == low else ""  # noqa: PLR0124  # NaN


def _number(value: float) -> str:
    from mpi_automl.cli.console import shown_value

    if isinstance(value, int):
        return str(value)
    return shown_value(value) if value == value else ""  # noqa: PLR0124  # NaN
