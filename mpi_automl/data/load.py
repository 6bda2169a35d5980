"""From files or arrays to a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpi_automl.data.arrays import as_table, target_frame
from mpi_automl.data.prepare import FeaturesAndTargets, prepare
from mpi_automl.data.read import Reader, read_table
from mpi_automl.data.table import (
    DECIMAL_COMMA,
    DEFAULT_TARGET,
    SparseTable,
    listed,
    resolved_names,
    unknown_column,
)
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task


def load_task(settings: Settings, *, readers: Mapping[str, Reader] | None = None) -> Task:
    """Read the tables that the settings name and make a task of them.

    Parameters
    ----------
    settings : Settings
        `table`, `target`, `test`, `validation`, and the options of the group ``data``.
    readers : mapping of str to callable, optional
        Readers of further file formats by suffix; see `read_table`.

    Raises
    ------
    UserError
        If a table cannot be read, the target is not there or nothing can be learned from it.
    """
    if settings.table is None:
        raise UserError("No table is given; name the file with the training rows.")
    name = _name(settings.table)
    table = read_table(settings.table, readers=readers)
    target = _target_names(table, settings)
    settings = with_columns(settings, _all_columns(table))
    texts = text_columns(table)
    train = split_target(table, target, required=True)
    validation, test = (
        split_target(read_table(source, readers=readers, texts=texts), target, required=source == settings.validation)
        if source is not None
        else None
        for source in (settings.validation, settings.test)
    )
    return prepare(train, settings, name=name, test=test, validation=validation)


def make_task(
    X: Any,
    y: Any,
    *,
    X_test: Any = None,
    y_test: Any = None,
    settings: Settings | None = None,
    name: str = "table",
) -> Task:
    """Make a task from arrays, DataFrames, sparse matrices or lists.

    Parameters
    ----------
    X, X_test : shape (n_rows, n_columns)
        Features; `X_test` is predicted and never learned from.
    y, y_test : shape (n_rows,) or (n_rows, n_targets)
        Targets; `y_test` only serves to score.
    settings : Settings, optional
        Options of the group ``data``; those that name tables are not used.
    name : str
        What to call the task.

    Raises
    ------
    UserError
        If shapes do not fit or nothing can be learned from the target.
    """
    train = FeaturesAndTargets(as_table(X), target_frame(y))
    test = None
    if X_test is not None:
        answers = None if y_test is None else target_frame(y_test, tuple(train.targets_or_fail.columns))
        test = FeaturesAndTargets(_table_like(X_test, train.features), answers)
    return prepare(train, settings or Settings(), name=name, test=test)


def split_target(table: pd.DataFrame | SparseTable, names: Sequence[str], *, required: bool) -> FeaturesAndTargets:
    """Separate the target columns from the features.

    Parameters
    ----------
    table : DataFrame or SparseTable
    names : sequence of str
        Target columns.
    required : bool
        Whether a missing target column is an error; else the part has no target.
    """
    columns = _all_columns(table)
    absent = [name for name in names if name not in set(columns)]
    if absent and required:
        raise unknown_column(absent[0], columns, "--target")
    if isinstance(table, SparseTable):
        return _split_sparse(table, names, bool(absent))
    features = table.drop(columns=[name for name in names if name in table.columns])
    return FeaturesAndTargets(features, None if absent else table[list(names)].reset_index(drop=True))


def _split_sparse(table: SparseTable, names: Sequence[str], incomplete: bool) -> FeaturesAndTargets:
    position = {name: i for i, name in enumerate(table.columns)}
    inside = [name for name in names if name in position]
    answers = {
        name: table.dense[name] if name in table.dense else table.matrix[:, [position[name]]].toarray().ravel()
        for name in names
        if name in table.dense or name in position
    }
    kept = [i for i, name in enumerate(table.columns) if name not in set(inside)]
    matrix = table.matrix[:, kept] if inside else table.matrix
    dense = table.dense.drop(columns=[name for name in {*names, *table.target} if name in table.dense])
    columns = tuple(table.columns[i] for i in kept)
    features = SparseTable(matrix, columns, dense, generated=table.generated)
    return FeaturesAndTargets(features, None if incomplete else pd.DataFrame(answers))


def text_columns(table: pd.DataFrame | SparseTable) -> tuple[str, ...]:
    """Columns of a training table that are strings, and must stay so in the files of other rows."""
    if isinstance(table, SparseTable):
        return ()
    plain = "iubmM" if table.attrs.get(DECIMAL_COMMA) else "iufbmM"
    return tuple(name for name in table.columns if getattr(table[name].dtype, "kind", "O") not in plain)


def _target_names(table: pd.DataFrame | SparseTable, settings: Settings) -> tuple[str, ...]:
    if settings.target:
        names = resolved_names(settings.target, _all_columns(table))
        if len(set(names)) < len(names):
            raise UserError(f"--target {','.join(names)} names a column twice.")
        return names
    named = table.target if isinstance(table, SparseTable) else tuple(table.attrs.get(DEFAULT_TARGET, ()))
    if named:
        return tuple(named)
    columns = _all_columns(table)
    raise UserError(f"Which column is to be predicted? Say --target COLUMN; the columns are {listed(columns)}.")


def with_columns(settings: Settings, columns: Sequence[str]) -> Settings:
    """Settings with the names of columns as the table has them."""
    return replace(
        settings,
        categorical=resolved_names(settings.categorical, columns),
        text=resolved_names(settings.text, columns),
        drop=resolved_names(settings.drop, columns),
        groups=settings.groups and resolved_names((settings.groups,), columns)[0],
    )


def _all_columns(table: pd.DataFrame | SparseTable) -> tuple[str, ...]:
    if isinstance(table, SparseTable):
        return (*table.dense.columns, *table.columns)
    return tuple(table.columns)


def _table_like(X: Any, train: pd.DataFrame | SparseTable) -> pd.DataFrame | SparseTable:
    if isinstance(X, (pd.DataFrame, SparseTable)):
        return as_table(X)
    width = X.shape[1] if hasattr(X, "shape") and len(X.shape) == 2 else np.asarray(X, dtype=object).shape[-1]
    if width != len(train.columns):
        raise UserError(f"The test table has {width} columns, the training table {len(train.columns)}.")
    return as_table(X, tuple(train.columns))


def _name(source: str) -> str:
    return source if source.startswith("openml:") else PurePath(source).name
