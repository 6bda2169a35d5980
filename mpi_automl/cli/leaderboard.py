"""``mpi-automl leaderboard``: all trials of a run, failures included."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.cli.options import add_plugins, plugins_from
from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("rank", "ensemble_weight", "type", "value", "duration", "status", "origin", "budget", "mpi_rank", "reason")
_MOST = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory, also of a running or killed job")
    parser.add_argument("--sort", metavar="COLUMN", default="rank", help="column to sort by; -COLUMN for descending")
    parser.add_argument("--status", metavar="STATUS", help="only trials that ended so, such as success or timeout")
    parser.add_argument("--type", metavar="LEARNER", help="only trials of this learner")
    parser.add_argument("--members", action="store_true", help="only members of the ensemble")
    parser.add_argument("--top", metavar="N", type=int, help=f"only the first N; default: {_MOST}, with --csv all")
    parser.add_argument("--csv", metavar="FILE", help="write all columns as CSV; - for the standard output")
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl leaderboard runs/price --status success --sort=-duration --top 10"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    from mpi_automl.runs.leaderboard import leaderboard
    from mpi_automl.runs.run import Run

    run = Run(arguments.directory, plugins=plugins_from(arguments))
    weights = {} if run.summary is None else {member.key: member.weight for member in run.summary.members}
    table = _chosen(leaderboard(run, weights), arguments)
    if arguments.csv is not None:
        from mpi_automl.data.write import write_table
        from mpi_automl.storage.table import WRITERS

        rows = table if arguments.top is None else table.head(arguments.top)
        out = None if arguments.csv == "-" else arguments.csv
        write_table(rows.reset_index(), out, writers=WRITERS)
        return 0
    _show(table, arguments.top or _MOST)
    return 0


def _chosen(table: pd.DataFrame, arguments: argparse.Namespace) -> pd.DataFrame:
    column = arguments.sort.removeprefix("-")
    if column not in table.columns:
        near = get_close_matches(column, table.columns, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(table.columns)}."
        raise UserError(f"There is no column {column} to sort by; {hint}")
    for name, wanted in (("status", arguments.status), ("type", arguments.type)):
        if wanted is not None:
            if wanted not in set(table[name]):
                raise UserError(f"No trial has the {name} {wanted}; there are {', '.join(sorted(set(table[name])))}.")
            table = table[table[name] == wanted]
    if arguments.members:
        table = table[table["ensemble_weight"] > 0]
    ascending = not arguments.sort.startswith("-")
    return table.sort_values(column, ascending=ascending, na_position="last", kind="stable")


def _show(table: pd.DataFrame, most: int) -> None:
    from rich.table import Table

    from mpi_automl.cli.console import make_console

    names = [name for name in _SHOWN if name != "budget" or (table["budget"] < 1).any()]
    shown = Table(title=f"{len(table)} trials", title_justify="left")
    shown.add_column("trial")
    scores = [name for name in table.columns if name.startswith("score_")]
    columns = [*names[:4], *scores, *names[4:]]
    for name in columns:
        shown.add_column(name.replace("_", " "), justify="left" if table[name].dtype == object else "right")
    for key, row in table.head(most)[columns].iterrows():
        shown.add_row(str(key), *(_text(value) for value in row))
    console = make_console()
    console.print(shown)
    if len(table) > most:
        console.print(f"and {len(table) - most} more; --top N or --csv FILE shows them.")


def _text(value: Any) -> str:
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  # NaN
            return ""
        return str(int(value)) if value.is_integer() and abs(value) >= 1 else f"{value:.4g}"
    return str(value)
