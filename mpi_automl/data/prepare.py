"""The steps from a table and its target to a task."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpi_automl.data.columns import Column, infer_column
from mpi_automl.data.digest import table_digest
from mpi_automl.data.numbers import NumberFormat
from mpi_automl.data.schema import Schema
from mpi_automl.data.table import DECIMAL_COMMA, SparseTable, is_unnamed, listed, unknown_column
from mpi_automl.data.target import Target, infer_target
from mpi_automl.data.task import Profile, TaskType
from mpi_automl.data.values import as_strings
from mpi_automl.errors import LeftOutWarning, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.settings import Settings

MOST_CELLS = 50_000_000
"""A sparse table with columns that are not numbers is made dense up to this many cells."""
MOST_NOTES = 20
"""Notes on columns beyond this many are counted, not listed."""


@dataclass(frozen=True, eq=False)
class Task:
    """A table ready for learning.

    Attributes
    ----------
    name : str
    type : TaskType
    X : ndarray of float64, CSR matrix, or DataFrame, shape (n_rows, n_columns)
        Encoded features (see `ColumnKind`); a DataFrame only where there are text columns.
    y : ndarray
        Class codes (int64, shape (n_rows,)), standardised values (`TargetUnits`; float64, shape (n_rows,)), or one
        column per label (int64) or target (float64).
    X_test, y_test : as `X` and `y`, or None
        `y_test` may be None although `X_test` is there.
    profile : Profile
    schema : Schema
        Encodes further tables in the same way and decodes predictions.
    digest : str
        Hash of the encoded table, hexadecimal: equal tables have equal ones on every machine.
    groups : ndarray of int64, shape (n_rows,), or None
        Rows of one group stay together in every split.
    fixed_validation : ndarray of int64, or None
        Rows that came from a validation table: every trial is validated on these.
    notes : tuple of str
        What a person should know about how the table was read: columns left out, doubts.
    """

    name: str
    type: TaskType
    X: Any
    y: NDArray[Any]
    profile: Profile
    schema: Schema
    digest: str
    X_test: Any = None
    y_test: NDArray[Any] | None = None
    groups: NDArray[np.int64] | None = None
    fixed_validation: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FeaturesAndTargets:
    """Features and target columns of the same rows.

    Attributes
    ----------
    features : DataFrame or SparseTable
    targets : DataFrame or None
    """

    features: Any
    targets: pd.DataFrame | None

    @property
    def targets_or_fail(self) -> pd.DataFrame:
        """The target columns of a part that must have them."""
        if self.targets is None:
            raise UserError("The table has no target column.")
        return self.targets

    def __len__(self) -> int:
        return len(self.features)


def prepare(
    train: FeaturesAndTargets,
    settings: Settings,
    *,
    name: str,
    test: FeaturesAndTargets | None = None,
    validation: FeaturesAndTargets | None = None,
) -> Task:
    """Make a task: check the target, decide on the columns, encode all tables.

    Raises
    ------
    UserError
        If nothing can be learned from the tables.
    """
    notes: list[str] = []
    train = _with_targets(_checked(train), settings, notes)
    if validation is not None:
        validation = _with_targets(_checked(validation), settings, notes)
    source, (train, groups) = train.features, _without_groups(train, settings.groups, validation)
    target, doubt = infer_target(train.targets_or_fail, settings.task)
    if doubt:
        notes.append(doubt)
    features = _without_row_index(_dense_if_mixed(train.features), settings, notes)
    schema = _schema(features, source, target, (settings, notes))
    X, y = schema.encode(features), target.encode(train.targets_or_fail)
    fixed = None
    if validation is not None:
        fixed = np.arange(X.shape[0], X.shape[0] + len(validation), dtype=np.int64)
        X = _stacked(X, _encoded(schema, validation.features, "validation", notes))
        y = np.concatenate([y, target.encode(validation.targets_or_fail)])
    X_test, y_test = _encoded_test(test, schema, notes) if test is not None else (None, None)
    return Task(
        name=name,
        type=target.type,
        X=X,
        y=y,
        profile=_profile(schema, X, X_test),
        schema=schema,
        digest=table_digest(X, schema.restore(y), schema.column_names, groups),
        X_test=X_test,
        y_test=y_test,
        groups=groups,
        fixed_validation=fixed,
        notes=tuple(f"{note[0].upper()}{note[1:]}." for note in notes),
    )


def _schema(features: Any, source: Any, target: Target, how: tuple[Settings, list[str]]) -> Schema:
    """The decisions on the columns of the training table, which came from `source`."""
    is_sparse = isinstance(features, SparseTable)
    columns = _sparse_columns(features, *how) if is_sparse else _columns(features, *how)
    generated = is_sparse and features.generated
    return Schema(columns, _source_columns(source, is_sparse=is_sparse), target, is_sparse, generated)


def _checked(part: FeaturesAndTargets) -> FeaturesAndTargets:
    if not len(part):
        raise UserError("The table has no rows.")
    if len(part) != len(part.targets_or_fail):
        raise UserError(f"The table has {len(part)} rows and the target {len(part.targets_or_fail)}.")
    return part


def _with_targets(part: FeaturesAndTargets, settings: Settings, notes: list[str]) -> FeaturesAndTargets:
    """The rows whose target is there."""
    targets = part.targets_or_fail
    missing = targets.isna().any(axis=1).to_numpy(bool)
    count = int(missing.sum())
    if not count:
        return part
    if count == len(part):
        raise UserError(f"The target {listed(list(targets))} is missing in all {count} rows.")
    if not settings.drop_missing_targets:
        raise UserError(
            f"The target {listed(list(targets))} is missing in {count} of {len(part)} rows; "
            "--drop-missing-targets leaves these rows out."
        )
    notes.append(f"{count} of {len(part)} rows are left out: their target is missing")
    return FeaturesAndTargets(_rows(part.features, ~missing), targets[~missing].reset_index(drop=True))


def _rows(features: Any, mask: NDArray[np.bool_]) -> Any:
    if isinstance(features, SparseTable):
        return replace(features, matrix=features.matrix[mask], dense=features.dense[mask].reset_index(drop=True))
    return features[mask].reset_index(drop=True)


def _stacked(first: Any, second: Any) -> Any:
    """Encoded rows of two tables, one below the other."""
    if isinstance(first, pd.DataFrame):
        return pd.concat([first, second], ignore_index=True)
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    from scipy import sparse

    return sparse.vstack([first, second], format="csr")


def _encoded(schema: Schema, features: Any, kind: str, notes: list[str]) -> Any:
    """Another table, read by the decisions of the training table."""
    doubts: list[str] = []
    encoded = schema.encode(features, doubts)
    notes.extend(f"{kind} table: {doubt}" for doubt in doubts)
    return encoded


def _without_row_index(features: Any, settings: Settings, notes: list[str]) -> Any:
    """The features without the first columns that are a DataFrame's index, as `DataFrame.to_csv` writes it."""
    if isinstance(features, SparseTable):
        return features
    for name in list(features.columns):
        kept = name in {*settings.categorical, *settings.text, *settings.drop}
        if kept or not (is_unnamed(name) or name == "index") or not _is_index(features[name]):
            break
        notes.append(f"column {name} is left out: it is the index of the rows; if it is not, give it another name")
        features = features.drop(columns=[name])
    return features


def _is_index(values: pd.Series) -> bool:
    return len(values) > 1 and pd.api.types.is_integer_dtype(values.dtype) and bool(values.is_unique)


def _without_groups(
    train: FeaturesAndTargets, name: str | None, validation: FeaturesAndTargets | None
) -> tuple[FeaturesAndTargets, NDArray[np.int64] | None]:
    """The training table without the column of groups, and the groups of all rows, those of validation last."""
    if name is None:
        return train, None
    parts = [_column_and_rest(part.features, name) for part in ([train] if validation is None else [train, validation])]
    codes = pd.factorize(pd.concat([as_strings(column) for column, _ in parts]))[0].astype(np.int64)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max() + 1 + np.arange(len(alone))
    return replace(train, features=parts[0][1]), codes


def _column_and_rest(features: Any, name: str) -> tuple[pd.Series, Any]:
    """The column of groups, and the features without it."""
    if not isinstance(features, SparseTable):
        if name not in features.columns:
            raise unknown_column(name, list(features.columns), "--groups")
        return features[name], features.drop(columns=[name])
    if name in features.dense.columns:
        return features.dense[name], replace(features, dense=features.dense.drop(columns=[name]))
    if name not in features.columns:
        raise unknown_column(name, [*features.dense.columns, *features.columns], "--groups")
    kept = [position for position, column in enumerate(features.columns) if column != name]
    values = features.matrix[:, [features.columns.index(name)]].toarray().ravel()
    columns = tuple(features.columns[position] for position in kept)
    return pd.Series(values), replace(features, matrix=features.matrix[:, kept], columns=columns)


def _source_columns(features: Any, *, is_sparse: bool) -> tuple[str, ...]:
    """The columns of a table without names: those of the training table, also where they are not learned from."""
    if isinstance(features, SparseTable) and not is_sparse:
        return (*features.dense.columns, *features.columns)
    return tuple(features.columns)


def _dense_if_mixed(features: Any) -> Any:
    """A sparse table as it is if all its features are in the matrix, else as a DataFrame."""
    if not isinstance(features, SparseTable) or not len(features.dense.columns):
        return features
    cells = len(features) * len(features.columns)
    if cells > MOST_CELLS:
        raise UserError(
            f"The sparse table has columns that are not numbers ({listed(list(features.dense.columns))}) and is too "
            "large to be made dense; leave them out of the file."
        )
    return pd.concat([features.dense, pd.DataFrame(features.matrix.toarray(), columns=list(features.columns))], axis=1)


def _sparse_columns(features: SparseTable, settings: Settings, notes: list[str]) -> tuple[Column, ...]:
    if settings.categorical or settings.text:
        raise UserError("--categorical and --text do not go with a sparse table: all its columns are numbers.")
    _require(settings.drop, features.columns, "--drop")
    filled = np.zeros(len(features.columns), dtype=bool)
    filled[features.matrix.indices[features.matrix.data != 0]] = True
    if empty := int((~filled).sum()):
        notes.append(f"{empty} of {len(filled)} columns are left out: they are zero in every row")
    dropped = set(settings.drop)
    names = [name for name, used in zip(features.columns, filled, strict=True) if used and name not in dropped]
    return _some([Column(name, "numerical") for name in names])


def _columns(features: pd.DataFrame, settings: Settings, notes: list[str]) -> tuple[Column, ...]:
    names = list(features.columns)
    overrides: dict[str, str] = {}
    for option, chosen in (("categorical", settings.categorical), ("text", settings.text), ("drop", settings.drop)):
        _require(chosen, names, f"--{option}")
        for name in chosen:
            if overrides.setdefault(name, option) != option:
                raise UserError(f"Column {name} is named by --{overrides[name]} and by --{option}; choose one.")
    comma = bool(features.attrs.get(DECIMAL_COMMA))
    findings = [
        infer_column(name, features[name], overrides.get(name, ""), comma_first=comma)
        for name in names
        if overrides.get(name) != "drop"
    ]
    for found in findings:
        if found.is_lost:
            warnings.warn(f"{found.note[0].upper()}{found.note[1:]}.", LeftOutWarning, stacklevel=2)
    remarks = [found.note for found in findings if found.note]
    notes.extend(remarks[:MOST_NOTES])
    if len(remarks) > MOST_NOTES:
        notes.append(f"{len(remarks) - MOST_NOTES} more columns have notes like these")
    columns = [found.column for found in findings if found.column is not None]
    return _some(_with_unique_names([_with_decimal_comma(column) if comma else column for column in columns]))


def _with_decimal_comma(column: Column) -> Column:
    """A column that the reader has read with decimal commas already."""
    plain = column.kind == "numerical" and column.numbers == NumberFormat()
    return replace(column, numbers=NumberFormat(",")) if plain else column


def _with_unique_names(columns: list[Column]) -> list[Column]:
    """The columns, with other names for the parts of a date `d` where there is a column `d.year` as well."""
    taken = Counter(name for column in columns for name in column.encoded_names)
    return [
        replace(column, prefix=f"{column.name} (date)")
        if column.kind == "date" and any(taken[name] > 1 for name in column.encoded_names)
        else column
        for column in columns
    ]


def _require(chosen: Sequence[str], names: Sequence[str], option: str) -> None:
    known = set(names)
    for name in chosen:
        if name not in known:
            raise unknown_column(name, names, option)


def _some(columns: list[Column]) -> tuple[Column, ...]:
    if not columns:
        raise UserError("No column is left to learn from: all are constant, missing, ids of the rows, or dropped.")
    return tuple(columns)


def _encoded_test(test: FeaturesAndTargets, schema: Schema, notes: list[str]) -> tuple[Any, NDArray[Any] | None]:
    if not len(test):
        raise UserError("The test table has no rows.")
    X_test = _encoded(schema, test.features, "test", notes)
    if test.targets is None:
        return X_test, None
    if len(test.targets) != len(test):
        raise UserError(f"The test table has {len(test)} rows and its target {len(test.targets)}.")
    missing = int(test.targets.isna().any(axis=1).sum())
    if missing:
        notes.append(f"the test table is predicted and not scored: its target is missing in {missing} rows")
        return X_test, None
    return X_test, schema.encode_target(test.targets)


def _profile(schema: Schema, X: Any, X_test: Any) -> Profile:
    tables = [X] if X_test is None else [X, X_test]
    numbers = [_numbers(table) for table in tables]
    kinds = schema.kinds
    return Profile(
        task_type=schema.task_type,
        n_rows=X.shape[0],
        n_columns=X.shape[1],
        n_outputs=schema.n_outputs,
        kinds=kinds,
        cardinalities=tuple(len(column.categories) for column in schema.columns for _ in column.encoded_names),
        has_missing=any(bool(np.isnan(values).any()) for values in numbers),
        is_sparse=schema.sparse,
        is_nonnegative=not any(bool((values < 0).any()) for values in numbers),
    )


def _numbers(X: Any) -> NDArray[np.float64]:
    if isinstance(X, pd.DataFrame):
        X = X.select_dtypes("number").to_numpy()
    return np.asarray(X.data if hasattr(X, "indptr") else X, dtype=np.float64)
