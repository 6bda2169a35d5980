"""A repository in memory: for each table what every candidate came to; read from units, or from one packed file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mpi_automl.atomic_write import atomic_write
from repository.candidates import STEPS, Candidate, load_candidates
from repository.tables import Truth
from repository.units import Unit, UnitFiles

MOST_PACKED = 30 * 2**20
"""Bytes; a larger file is packed without predictions."""
_NUMBERS = ("status", "cost", "held_out_cost", "seconds", "cpu_seconds", "memory_peak", "iterations")


@dataclass(frozen=True, eq=False)
class TableEvaluations:
    """What every candidate came to on one table.

    Attributes
    ----------
    name : str
    truth : Truth
    numbers : dict of str to ndarray, shape (n_candidates,)
        ``status`` (-1 where there is no unit), ``cost``, ``held_out_cost``, ``seconds``, ``cpu_seconds``,
        ``memory_peak``, ``iterations``; NaN where a candidate has none.
    fold_costs : ndarray of float32, shape (n_candidates, n_folds)
    rows : ndarray of int64, shape (n_candidates,)
        Where a candidate's predictions are; -1 where it has none.
    predictions, held_out : ndarray, shape (n_with_predictions, n_rows, n_outputs)
        As `Truth.encode` keeps them; without candidates where predictions were not packed.
    """

    name: str
    truth: Truth
    numbers: dict[str, np.ndarray]
    fold_costs: np.ndarray
    rows: np.ndarray
    predictions: np.ndarray
    held_out: np.ndarray

    @property
    def step(self) -> str:
        """The step of the learners."""
        return "classifier" if self.truth.type.is_classification else "regressor"

    @property
    def durations(self) -> np.ndarray:
        """Seconds of one core for each candidate; NaN without a unit.

        The processor's time, which other work on the machine does not lengthen, and the wall time where it is not
        known.
        """
        cpu, wall = self.numbers["cpu_seconds"], self.numbers["seconds"]
        known = np.where(cpu > 0, np.minimum(cpu, wall), wall)
        return np.where(self.numbers["status"] < 0, np.nan, known)


@dataclass(frozen=True, eq=False)
class Repository:
    """All tables, and the candidates of each step.

    Attributes
    ----------
    candidates : dict of str to list of Candidate
    tables : list of TableEvaluations
    """

    candidates: dict[str, list[Candidate]]
    tables: list[TableEvaluations]

    def of_task(self, task: str) -> list[TableEvaluations]:
        """Tables of a kind of task: ``binary``, ``multiclass``, ``classification`` or ``regression``."""
        if task == "classification":
            return [table for table in self.tables if table.truth.type.is_classification]
        return [table for table in self.tables if table.truth.task_type == task]


def read_units(path: Path) -> Repository:
    """Read a repository from its directory, finished or not."""
    files = UnitFiles(path)
    candidates = {step: load_candidates(files.candidates(step)) for step in STEPS}
    tables = []
    for name in files.tables():
        truth = files.read_truth(name)
        step = "classifier" if truth.type.is_classification else "regressor"
        units = {number: files.read(name, number) for number in files.finished(name)}
        tables.append(_from_units(name, truth, units, len(candidates[step])))
    return Repository(candidates, tables)


def _from_units(name: str, truth: Truth, units: dict[int, Unit], n: int) -> TableEvaluations:
    numbers = {field: np.full(n, np.nan, np.float32) for field in _NUMBERS}
    numbers["status"][:] = -1
    fold_costs = np.full((n, int(truth.folds.max()) + 1), np.nan, np.float32)
    rows = np.full(n, -1)
    predictions, held_out = [], []
    for number, unit in units.items():
        for field in _NUMBERS:
            numbers[field][number] = getattr(unit, field)
        if unit.succeeded and np.isfinite(unit.held_out_cost):
            assert unit.predictions is not None
            assert unit.held_out is not None
            rows[number] = len(predictions)
            fold_costs[number] = unit.fold_costs
            predictions.append(unit.predictions)
            held_out.append(unit.held_out)
    return TableEvaluations(name, truth, numbers, fold_costs, rows, _stacked(predictions), _stacked(held_out))


def _stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.array(arrays) if arrays else np.empty((0, 0, 0), np.float16)


def pack(repository: Repository, path: Path, most: int = MOST_PACKED) -> bool:
    """Write one compressed file, with half-precision predictions if it is then no larger than `most` bytes.

    Returns
    -------
    bool
        Whether predictions are in it.
    """
    with atomic_write(path) as temporary:
        _write(repository, temporary, has_predictions=True)
    if path.stat().st_size <= most:
        return True
    with atomic_write(path) as temporary:
        _write(repository, temporary, has_predictions=False)
    return False


def _half(predictions: np.ndarray) -> np.ndarray:
    """Half precision; predictions that are far beyond all targets stay there."""
    largest = float(np.finfo(np.float16).max)
    return np.clip(predictions, -largest, largest).astype(np.float16)


def _write(repository: Repository, path: Path, *, has_predictions: bool) -> None:
    candidates = {step: [asdict(c) for c in found] for step, found in repository.candidates.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("candidates.json", json.dumps(candidates))
        for table in repository.tables:
            arrays = {f"number-{field}": values for field, values in table.numbers.items()}
            arrays |= {f"truth-{field}": np.asarray(value) for field, value in vars(table.truth).items()}
            arrays["fold_costs"] = table.fold_costs
            if has_predictions:
                arrays["rows"] = table.rows
                # Rows of one candidate after the other compress badly; candidates of one row resemble each other.
                arrays["predictions"] = np.moveaxis(_half(table.predictions), 0, -1)
                arrays["held_out"] = np.moveaxis(_half(table.held_out), 0, -1)
            for field, array in arrays.items():
                with archive.open(f"{table.name}/{field}.npy", "w") as file:
                    np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)


def read_packed(path: Path) -> Repository:
    """Read what `pack` wrote."""
    content: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(path) as archive:
        listed = json.loads(archive.read("candidates.json"))
        for name in archive.namelist():
            if name.endswith(".npy"):
                table, _, field = name.removesuffix(".npy").rpartition("/")
                with archive.open(name) as file:
                    content.setdefault(table, {})[field] = np.lib.format.read_array(file, allow_pickle=False)
    candidates = {step: [Candidate(**entry) for entry in found] for step, found in listed.items()}
    return Repository(candidates, [_from_arrays(name, arrays) for name, arrays in content.items()])


def _from_arrays(name: str, arrays: dict[str, Any]) -> TableEvaluations:
    def part(prefix: str) -> dict[str, Any]:
        return {field.removeprefix(prefix): value for field, value in arrays.items() if field.startswith(prefix)}

    truth = {field: value.item() if value.ndim == 0 else value for field, value in part("truth-").items()}
    numbers = part("number-")
    nothing = _stacked([])
    return TableEvaluations(
        name,
        Truth(**truth),
        numbers,
        arrays["fold_costs"],
        arrays.get("rows", np.full(len(numbers["cost"]), -1)),
        np.moveaxis(arrays["predictions"], -1, 0) if "predictions" in arrays else nothing,
        np.moveaxis(arrays["held_out"], -1, 0) if "held_out" in arrays else nothing,
    )


def read(path: Path) -> Repository:
    """Read a repository from its directory or its packed file."""
    return read_units(path) if path.is_dir() else read_packed(path)


def write_recording(path: Path, table: TableEvaluations) -> None:
    """Write the predictions of one table as `record_predictions.Recording` reads them."""
    known = np.flatnonzero(table.rows >= 0)
    order = table.rows[known]
    np.savez(
        path,
        task_type=table.truth.task_type,
        y=table.truth.y,
        y_held_out=table.truth.y_test,
        predictions=table.truth.decode(table.predictions[order]),
        held_out=table.truth.decode(table.held_out[order]),
        seconds=table.durations[known],
        pipelines=np.array([str(i) for i in known]),
    )
