"""A run's history in the files of SMAC 2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.settings import Settings
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Origin


def export_to_smac(path: Path, out: Path, plugins: Sequence[str] = ()) -> int:
    """Write all legs' and ranks' trials, in the order of their end; gives the number of trials written.

    Trials with a part of the full budget are left out: their costs are not comparable.

    Parameters
    ----------
    path : Path
        The run directory.
    out : Path
        Directory to make.
    plugins : sequence of str
        Modules that register the components of the user's own that the run was made with.

    Raises
    ------
    UserError
        If there is something at `out` already, or `path` is no run directory.
    """
    from mpi_automl.search.smac_files import FinishedTrials, write_smac_files

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists and is not empty; name another directory.")
    reader, facts = RunReader(path), RunFacts.of_directory(path, plugins=plugins)
    seed = Settings.from_mapping(RunDirectory(path).read_config()).seed
    order = np.argsort(reader.records["end"], kind="stable")
    order = order[reader.records["budget"][order] >= 1.0]
    records = reader.records[order]
    trials = FinishedTrials(
        reader.vectors[order],
        records["cost"],
        records["status"],
        records["start"],
        records["end"],
        records["cpu_seconds"],
        [str(reader.keys[row]) for row in order],
        [Origin(value).name.lower() for value in records["origin"]],
    )
    return write_smac_files(out, facts.space.configspace, trials, seed)
