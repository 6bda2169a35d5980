"""Arrays, DataFrames, sparse matrices and lists, as they come from Python, made into tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mpi_automl.data.table import SparseTable, numbered, unique_names
from mpi_automl.errors import UserError


def as_table(X: Any, names: Sequence[str] | None = None) -> pd.DataFrame | SparseTable:
    """A table from a DataFrame, sparse matrix, array or nested list.

    Columns without names are called x0, x1, ... or by `names`.

    Raises
    ------
    UserError
        If it is not two-dimensional, or column names repeat.
    """
    from scipy import sparse

    X = as_pandas(X)
    if isinstance(X, SparseTable):
        return X
    if sparse.issparse(X):
        matrix = sparse.csr_matrix(X, dtype=np.float64)
        return SparseTable(matrix, _names(names, matrix.shape[1]), _no_columns(matrix.shape[0]))
    if isinstance(X, pd.DataFrame):
        return _from_frame(X)
    if isinstance(X, pd.Series):
        return _from_frame(X.to_frame())
    array = _rectangular(X)
    frame = pd.DataFrame(array, columns=list(_names(names, array.shape[1])))
    return frame.infer_objects() if array.dtype == object else frame


def as_pandas(table: Any) -> Any:
    """Frames and series of other libraries (polars, Arrow, ...) as those of pandas; anything else as it is."""
    if isinstance(table, (pd.DataFrame, pd.Series, SparseTable, np.ndarray, list, tuple)):
        return table
    import narwhals as nw

    other = nw.from_native(table, pass_through=True, allow_series=True)
    if isinstance(other, nw.LazyFrame):
        other = other.collect()
    return other.to_pandas() if isinstance(other, (nw.DataFrame, nw.Series)) else table


def target_frame(y: Any, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Target columns from a Series, DataFrame, array, sparse indicator matrix or list.

    Columns without names are called by `names`, else ``target``, or target0, target1, ... if several.
    """
    from scipy import sparse

    y = as_pandas(y)
    if sparse.issparse(y):
        y = y.toarray()
    if isinstance(y, pd.Series):
        y = y.to_frame(y.name if y.name is not None and names is None else (names or ("target",))[0])
    if isinstance(y, pd.DataFrame):
        return y.set_axis(unique_names(list(y.columns)), axis=1).reset_index(drop=True)
    array = y if isinstance(y, np.ndarray) else _array(y, "target")
    if array.ndim not in (1, 2) or array.size == 0:
        raise UserError(f"The target has the shape {array.shape}; it must have one row for each row of the table.")
    columns = array.reshape(len(array), -1)
    if names is None or len(names) != columns.shape[1]:
        names = ("target",) if columns.shape[1] == 1 else numbered("target", columns.shape[1])
    frame = pd.DataFrame({name: pd.Series(column) for name, column in zip(names, columns.T, strict=True)})
    return frame.infer_objects()


def _from_frame(X: pd.DataFrame) -> pd.DataFrame | SparseTable:
    names = unique_names(list(X.columns))
    if len(names) and all(isinstance(dtype, pd.SparseDtype) and dtype.fill_value == 0 for dtype in X.dtypes):
        matrix = X.sparse.to_coo().tocsr().astype(np.float64)
        return SparseTable(matrix, names, _no_columns(len(X)))
    frame = X.set_axis(names, axis=1).reset_index(drop=True)
    for name in names:
        if isinstance(frame[name].dtype, pd.SparseDtype):
            frame[name] = frame[name].sparse.to_dense()
        elif _is_nested(frame[name].dtype):
            frame[name] = frame[name].astype(object)
    return frame


def _is_nested(dtype: Any) -> bool:
    """Whether a column has Arrow's lists or the like, which cannot be compared as they are."""
    if not isinstance(dtype, pd.ArrowDtype):
        return False
    import pyarrow as pa

    return bool(pa.types.is_nested(dtype.pyarrow_dtype))


def _rectangular(X: Any) -> np.ndarray[Any, Any]:
    array = X if isinstance(X, np.ndarray) else _array(X, "table")
    if array.ndim != 2:
        raise UserError(f"The table has {array.ndim} dimensions; it must have two, rows and columns.")
    return array


def _array(values: Any, what: str) -> np.ndarray[Any, Any]:
    try:
        # np.asarray would turn numbers beside strings into strings.
        cells = np.asarray(values, dtype=object)
        plain = (
            cells if any(isinstance(cell, (str, bool)) or cell is None for cell in cells.flat) else np.asarray(values)
        )
    except ValueError as error:
        raise UserError(f"The {what} is not rectangular: {error}") from error
    return plain


def _names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    return tuple(names) if names is not None else numbered("x", count)


def _no_columns(n_rows: int) -> pd.DataFrame:
    return pd.DataFrame(index=range(n_rows))
