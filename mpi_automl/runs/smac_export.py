"""A run's history in the files of SMAC 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.trial import Origin

if TYPE_CHECKING:
    from mpi_automl.runs.run import Run


def export_to_smac(run: Run, out: Path) -> int:
    """Write all legs' and ranks' trials, in the order of their end; gives the number of trials written.

    Trials with a part of the full budget are left out: their costs are not comparable.

    Parameters
    ----------
    run : Run
    out : Path
        Directory to make.

    Raises
    ------
    UserError
        If there is something at `out` already, or `run` has no directory.
    """
    from mpi_automl.search.smac_files import FinishedTrials, write_smac_files

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists and is not empty; name another directory.")
    reader = run.reader
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
    return write_smac_files(out, run.space.configspace, trials, run.settings.seed)
