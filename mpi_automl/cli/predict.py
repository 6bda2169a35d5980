"""``mpi-automl predict``: predict the rows of a table with a run's ensemble."""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.cli.options import add_plugins, plugins_from
from mpi_automl.cli.streams import say_warning
from mpi_automl.errors import UnknownValuesWarning

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.ensemble.model import EnsembleModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    parser.add_argument("table", metavar="TABLE", help="table with the rows to predict, in any format that fit reads")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="file to write, in the format of its ending (CSV and TSV, also compressed, Parquet, Feather, ARFF, npz, "
        "HDF5); default: CSV on the standard output",
    )
    parser.add_argument("--proba", action="store_true", help="probabilities of the classes instead of labels")
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl predict runs/price new.csv --out predicted.csv (also under mpirun)"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; gives the exit status."""
    if arguments.out is not None:
        from mpi_automl.data.write import check_format

        check_format(arguments.out)
    from mpi_automl.job.session import start_ranks

    with start_ranks() as ranks:
        world = ranks.world
        doubts: list[str] = []
        parts = world.gather(world.together(lambda: _predicted_share(arguments, world.rank, world.size, doubts)))
        all_doubts = world.gather(doubts)
        world.on_root(lambda: _write_all(parts, arguments.out))
    for doubt in dict.fromkeys(chain.from_iterable(all_doubts)):
        say_warning(doubt)
    return 0


def _predicted_share(arguments: argparse.Namespace, rank: int, size: int, doubts: list[str]) -> pd.DataFrame | None:
    """Predictions of a rank's share of the rows, which follow each other in the order of ranks.

    `doubts` gets what is said of unknown values, for rank 0 to say.
    """
    from mpi_automl.data.read import read_table
    from mpi_automl.runs.run import Run
    from mpi_automl.storage.table import READERS

    model = Run(arguments.directory, plugins=plugins_from(arguments)).model
    table = read_table(arguments.table, readers=READERS, texts=model.schema.text_columns)
    first, last = rank * len(table) // size, (rank + 1) * len(table) // size
    if first == last and rank > 0:
        return None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnknownValuesWarning)
        frame = predicted_frame(model, _rows_of(table, slice(first, last)), probabilities=arguments.proba)
    doubts += [str(one.message) for one in caught if issubclass(one.category, UnknownValuesWarning)]
    return frame


def _rows_of(table: Any, rows: slice) -> Any:
    """Some rows of a DataFrame or a sparse table."""
    if hasattr(table, "iloc"):
        return table.iloc[rows]
    return replace(table, matrix=table.matrix[rows], dense=table.dense.iloc[rows])


def _write_all(parts: list[pd.DataFrame | None], out: str | None) -> None:
    import pandas as pd

    from mpi_automl.data.write import write_table
    from mpi_automl.storage.table import WRITERS

    write_table(pd.concat([part for part in parts if part is not None], ignore_index=True), out, writers=WRITERS)


def predicted_frame(model: EnsembleModel, table: Any, *, probabilities: bool) -> pd.DataFrame:
    """Predictions with a column for each target, or for each class.

    Raises
    ------
    UserError
        As for `EnsembleModel.predict`.
    """
    import pandas as pd

    if not probabilities:
        return pd.DataFrame(model.predict(table), columns=list(model.schema.target_names))
    classes = model.schema.classes
    names = model.schema.target_names if classes is None else classes
    return pd.DataFrame(model.predict_proba(table), columns=[str(name) for name in names])
