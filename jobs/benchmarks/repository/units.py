"""Units of a repository on disk: one file for each candidate and table, written at once when it is finished.

A repository under way is a directory::

    candidates-classifier.json, candidates-regressor.json
    tables/NAME.npz             (`repository.tables.Truth`)
    units/NAME/0000.npz         (`Unit`)
    claims/NAME-0000            (who is at it)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mpi_automl.atomic_write import atomic_write
from mpi_automl.trial import Status
from repository.tables import Truth

SKIPPED = 0
"""In place of a status: the table's search space has no such configuration."""


@dataclass(frozen=True, eq=False)
class Unit:
    """What a candidate came to on a table; NaN or None where it failed.

    Attributes
    ----------
    status : int
        Of `Status`, or `SKIPPED`.
    reason : str
        Why it failed, or where its fit was stopped.
    cost, held_out_cost : float
        Of the out-of-fold predictions, pooled, and of the mean of the fold models' predictions for held-out rows.
    fold_costs : ndarray of float64, shape (n_folds,)
    scores : ndarray of float64, shape (n_further,)
        Further metrics of the out-of-fold predictions (`repository.tables.FURTHER`).
    seconds, cpu_seconds, fit_seconds, predict_seconds : float
        Of all folds together.
    memory_peak : float
        MiB.
    iterations : int
        Of early-stopped boosting, the mean over the folds; 0 for other learners.
    predictions, held_out : ndarray or None
        As `Truth.encode` keeps them.
    """

    status: int
    reason: str = ""
    cost: float = np.nan
    held_out_cost: float = np.nan
    fold_costs: np.ndarray | None = None
    scores: np.ndarray | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    memory_peak: float = 0.0
    iterations: int = 0
    predictions: np.ndarray | None = None
    held_out: np.ndarray | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it has predictions."""
        return self.status == Status.SUCCESS


class UnitFiles:
    """The directory of a repository under way.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def candidates(self, step: str) -> Path:
        """File of the candidates of a step."""
        return self.path / f"candidates-{step}.json"

    def unit(self, table: str, number: int) -> Path:
        """File of a unit."""
        return self.path / "units" / table / f"{number:04d}.npz"

    def claim(self, table: str, number: int) -> Path:
        """Lock of a unit."""
        return self.path / "claims" / f"{table}-{number:04d}"

    def make(self, tables: list[str]) -> None:
        """Make the folders."""
        for folder in ("tables", "claims", *(f"units/{table}" for table in tables)):
            (self.path / folder).mkdir(parents=True, exist_ok=True)

    def tables(self) -> list[str]:
        """Names of the tables that there are units of."""
        return sorted(path.stem for path in (self.path / "tables").glob("*.npz"))

    def finished(self, table: str) -> list[int]:
        """Numbers of the candidates that are done on a table."""
        return sorted(int(path.stem) for path in (self.path / "units" / table).glob("[0-9]*.npz"))

    def write_truth(self, table: str, truth: Truth) -> None:
        """Write the truth of a table, unless it is there."""
        path = self.path / "tables" / f"{table}.npz"
        if not path.exists():
            write_arrays(path, vars(truth))

    def read_truth(self, table: str) -> Truth:
        """Read the truth of a table."""
        return Truth(**read_arrays(self.path / "tables" / f"{table}.npz"))

    def write(self, table: str, number: int, unit: Unit) -> None:
        """Write a unit; it appears in full or not at all."""
        write_arrays(self.unit(table, number), vars(unit))

    def read(self, table: str, number: int) -> Unit:
        """Read a unit."""
        known = {field.name for field in fields(Unit)}
        values = read_arrays(self.unit(table, number))
        return Unit(**{name: value for name, value in values.items() if name in known})


def write_arrays(path: Path, values: dict[str, Any]) -> None:
    """Write arrays, numbers and texts; None is left out."""
    with atomic_write(path, durable=True) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{name: value for name, value in values.items() if value is not None})


def read_arrays(path: Path) -> dict[str, Any]:
    """Read what `write_arrays` wrote; numbers and texts are Python's own."""
    with np.load(path, allow_pickle=False) as file:
        values = {name: file[name] for name in file.files}
    return {name: value.item() if value.ndim == 0 else value for name, value in values.items()}
