"""The outer splits of a study: which rows a run learns from, and which it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.atomic_write import atomic_write
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.study.tables import digest_of, digest_of_mapping, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.prepare import FeaturesAndTargets
    from mpi_automl.study.definition import Split
    from mpi_automl.study.tables import StudyTable

    Rows = NDArray[np.int64]


@dataclass(frozen=True)
class OuterSplit:
    """One table's outer split, all its folds together.

    Attributes
    ----------
    method : str
    options : mapping of str to Any
        Options of ``fit`` that make the same resampling; empty for split files.
    file, digest : str
        Of a split file; empty without.
    folds : int
    """

    method: str
    options: Mapping[str, Any]
    file: str = ""
    digest: str = ""
    folds: int = 1

    def to_mapping(self) -> dict[str, Any]:
        """What decides on the rows, as JSON can hold it; where a split file lies does not matter."""
        if self.file:
            return {"method": self.method, "digest": self.digest}
        return {"method": self.method, **self.options}


def outer_split(split: Split, table: StudyTable, seed: int) -> OuterSplit:
    """The split of one table for the runs of one seed.

    Raises
    ------
    UserError
        If there is no split file.
    """
    if split.method == "files":
        path = split.files.replace("{table}", table.name)
        return OuterSplit(split.method, {}, path, digest_of(path), len(_read_file(path)))
    options: dict[str, Any] = {"seed": seed if split.seed is None else split.seed}
    counts = {"holdout": 1, "repeated-cv": split.folds * split.repeats}
    if split.method == "holdout":
        options["holdout_share"] = split.share
    else:
        options["folds"] = split.folds
    if split.method == "repeated-cv":
        options["repeats"] = split.repeats
    return OuterSplit(split.method, options, folds=counts.get(split.method, split.folds))


@dataclass(frozen=True, eq=False)
class OuterParts:
    """A table in two.

    Attributes
    ----------
    train, test : FeaturesAndTargets
    """

    train: FeaturesAndTargets
    test: FeaturesAndTargets


def outer_parts(table: StudyTable, split: OuterSplit, fold: int, cache: Path) -> OuterParts:
    """Read a table and divide it.

    Parameters
    ----------
    table : StudyTable
    split : OuterSplit
    fold : int
    cache : Path
        Directory in which splits are kept, so that each is made once.

    Raises
    ------
    UserError
        If the table cannot be read or split, or is not the one that was planned with.
    """
    if digest_of(table.source) != table.digest:
        raise UserError(f"{table.source} has changed since the study was planned; run mpi-automl study run again.")
    whole = _labelled(table)
    pairs = _kept(table, split, whole, cache)
    if fold >= len(pairs):
        raise UserError(f"{table.name} can be split into {len(pairs)} folds, and {split.folds} are asked for.")
    train, test = pairs[fold]
    return OuterParts(_rows(whole, train), _rows(whole, test))


def _labelled(table: StudyTable) -> FeaturesAndTargets:
    """The rows of a table whose target is there."""
    from mpi_automl.data.load import split_target
    from mpi_automl.data.table import DEFAULT_TARGET, SparseTable, listed

    settings = Settings.from_mapping(table.options)
    found = read(table.source)
    default = found.target if isinstance(found, SparseTable) else tuple(found.attrs.get(DEFAULT_TARGET, ()))
    names = settings.target or default
    if not names:
        columns = found.columns if isinstance(found, SparseTable) else tuple(found.columns)
        raise UserError(f'{table.name}: which column is the target? Say target = "..."; there are {listed(columns)}.')
    part = split_target(found, names, required=True)
    missing = part.targets_or_fail.isna().any(axis=1).to_numpy(bool)
    if missing.any() and not settings.drop_missing_targets:
        raise UserError(
            f"{table.name}: the target is missing in {missing.sum()} rows; drop_missing_targets = true leaves them out."
        )
    return _rows(part, np.flatnonzero(~missing)) if missing.any() else part


def _rows(part: FeaturesAndTargets, rows: Rows) -> FeaturesAndTargets:
    from mpi_automl.data.prepare import FeaturesAndTargets as MadePart

    features, targets = part.features, part.targets_or_fail
    if hasattr(features, "iloc"):
        chosen = features.iloc[rows].reset_index(drop=True)
    else:
        chosen = replace(features, matrix=features.matrix[rows], dense=features.dense.iloc[rows].reset_index(drop=True))
    return MadePart(chosen, targets.iloc[rows].reset_index(drop=True))


def _kept(table: StudyTable, split: OuterSplit, whole: FeaturesAndTargets, cache: Path) -> list[tuple[Rows, Rows]]:
    path = cache / f"{_name(table, split)}.npz"
    if path.exists():
        with np.load(path) as arrays:
            return [(arrays[f"train_{fold}"], arrays[f"test_{fold}"]) for fold in range(len(arrays) // 2)]
    pairs = _read_file(split.file, len(whole)) if split.file else _made(table, split, whole)
    arrays = {
        f"{part}_{fold}": rows for fold, pair in enumerate(pairs) for part, rows in zip(_PARTS, pair, strict=True)
    }
    cache.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    return pairs


_PARTS = ("train", "test")


def _name(table: StudyTable, split: OuterSplit) -> str:
    return digest_of_mapping({"table": table.digest, "options": dict(table.options), "split": split.to_mapping()})


def _made(table: StudyTable, split: OuterSplit, whole: FeaturesAndTargets) -> list[tuple[Rows, Rows]]:
    """The same splits as a run makes inside: stratified, and keeping groups together."""
    from mpi_automl.data.prepare import prepare
    from mpi_automl.data.resampling import make_resampling

    settings = Settings.from_mapping({**table.options, **split.options, "resampling": split.method})
    task = prepare(whole, settings, name=table.name)
    return [(fold.train, fold.validation) for fold in make_resampling(task, settings).folds]


def _read_file(path: str, n_rows: int | None = None) -> list[tuple[Rows, Rows]]:
    """Folds from a split file: columns ``fold`` and ``row`` (from 0), and ``part`` where rows are left out.

    Without ``part``, the rows named are those of the test part and all others are learned from.
    """
    import pandas as pd

    table = read(path)
    absent = [name for name in ("fold", "row") if name not in table.columns]
    if absent or not isinstance(table, pd.DataFrame):
        raise UserError(f"{path} has no column {absent[0]}; a split file has fold and row, and part if need be.")
    table = table.astype({"fold": int, "row": int})
    if n_rows is not None and not table["row"].between(0, n_rows - 1).all():
        raise UserError(f"{path} names rows that the table does not have; they count from 0 to {n_rows - 1}.")
    return [_fold(path, rows, n_rows or 0) for _, rows in table.groupby("fold")]


def _fold(path: str, rows: Any, n_rows: int) -> tuple[Rows, Rows]:
    if "part" in rows.columns:
        parts = rows["part"].astype(str).str.lower()
        train, test = (np.unique(rows["row"][parts == part].to_numpy(np.int64)) for part in _PARTS)
    else:
        test = np.unique(rows["row"].to_numpy(np.int64))
        train = np.setdiff1d(np.arange(n_rows, dtype=np.int64), test)
    if len(np.intersect1d(train, test)):
        raise UserError(f"{path}: rows are both learned from and tested in one fold.")
    if n_rows and not (len(train) and len(test)):
        raise UserError(f"{path}: a fold has no rows to learn from or none to test.")
    return train, test
