"""Encoding tables by the columns that were decided on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mpi_automl.data.columns import Column
from mpi_automl.data.dates import date_parts, parse_dates
from mpi_automl.data.table import SparseTable, listed
from mpi_automl.data.values import (
    Storage,
    as_boolean_text,
    as_floats,
    as_strings,
    canonical,
    factorized,
    finite,
    parsed,
    storage_of,
)
from mpi_automl.errors import UserError


def encode_frame(frame: pd.DataFrame, columns: Sequence[Column]) -> NDArray[np.float64] | pd.DataFrame:
    """Encode the columns of a table by name.

    Categories become codes, NaN where missing or not among the known ones; dates become numbers. With text
    columns the result is a DataFrame, in which texts are strings ("" where missing).

    Returns
    -------
    ndarray of float64 in C order, or DataFrame, shape (n_rows, n_encoded_columns)

    Raises
    ------
    UserError
        If columns are not there, or hold words where numbers or dates must be.
    """
    _require(columns, list(frame.columns))
    width = sum(len(column.encoded_names) for column in columns if column.kind != "text")
    numbers = np.empty((len(frame), width), dtype=np.float64)
    position = 0
    for column in columns:
        if column.kind != "text":
            encoded = _encode(column, frame[column.name])
            numbers[:, position : position + encoded.shape[1]] = encoded
            position += encoded.shape[1]
    if not any(column.kind == "text" for column in columns):
        return numbers
    return _with_texts(frame, columns, numbers)


def encode_sparse(table: SparseTable, names: Sequence[str], generated: bool) -> Any:
    """Take the named columns of a sparse table as a CSR matrix with sorted indices.

    Where both tables have names that the reader made up, a column that is not there is all zero.
    """
    from scipy import sparse

    positions = {name: i for i, name in enumerate(table.columns)}
    matrix = table.matrix
    absent = [name for name in names if name not in positions]
    if absent and generated and table.generated:
        positions.update(dict.fromkeys(absent, matrix.shape[1]))
        matrix = sparse.hstack([matrix, sparse.csr_matrix((matrix.shape[0], 1))], format="csr")
    elif absent:
        raise UserError(f"The table has no column {listed(absent)}, which the model was trained with.")
    chosen = [positions[name] for name in names]
    encoded = matrix if chosen == list(range(matrix.shape[1])) else matrix[:, chosen]
    encoded = sparse.csr_matrix(encoded, dtype=np.float64, copy=True)
    encoded.data = finite(encoded.data)
    encoded.sum_duplicates()
    encoded.sort_indices()
    return encoded


def encoded_names(columns: Sequence[Column]) -> tuple[str, ...]:
    """Names of all encoded columns."""
    return tuple(name for column in columns for name in column.encoded_names)


def _require(columns: Sequence[Column], present: list[str]) -> None:
    known = set(present)
    absent = [column.name for column in columns if column.name not in known]
    if absent:
        noun = "column" if len(absent) == 1 else f"{len(absent)} columns"
        raise UserError(f"The table has no {noun} {listed(absent)}, which the model was trained with.")


def _encode(column: Column, values: pd.Series) -> NDArray[np.float64]:
    if column.kind == "date":
        return date_parts(_dates(column, values), column.parts)
    if column.kind == "numerical":
        return _numbers(column, values).reshape(-1, 1)
    return _codes(column, values).reshape(-1, 1)


def _codes(column: Column, values: pd.Series) -> NDArray[np.float64]:
    numbers, uniques = factorized(values)
    texts = [canonical(value) for value in uniques]
    if column.kind == "boolean":
        texts = [as_boolean_text(text) for text in texts]
    known = {text: float(code) for code, text in enumerate(column.categories)}
    return np.array([*(known.get(text, np.nan) for text in texts), np.nan])[numbers]


def _numbers(column: Column, values: pd.Series) -> NDArray[np.float64]:
    storage = storage_of(values)
    if storage in (Storage.NUMBERS, Storage.BOOLEANS, Storage.DURATIONS):
        return as_floats(values)
    if storage is Storage.DATES:
        raise UserError(f"Column {column.name} has dates where the training table has numbers.")
    texts = as_strings(values)
    floats = parsed(texts)
    odd = np.isnan(floats) & texts.notna().to_numpy() & ~texts.isin([*column.missing, "", "nan", "inf", "-inf"])
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise UserError(
            f"Column {column.name} must have numbers as in the training table; row {row + 1} has {texts.iloc[row]!r}."
        )
    return floats


def _dates(column: Column, values: pd.Series) -> pd.DatetimeIndex:
    if storage_of(values) is Storage.DATES or not values.notna().any():
        return parse_dates(values)
    texts = as_strings(values)
    dates = parse_dates(texts, column.format)
    odd = np.asarray(dates.isna()) & texts.notna().to_numpy()
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise UserError(
            f"Column {column.name} must have dates as in the training table; row {row + 1} has {texts.iloc[row]!r}."
        )
    return dates


def _with_texts(frame: pd.DataFrame, columns: Sequence[Column], numbers: NDArray[np.float64]) -> pd.DataFrame:
    names = encoded_names(columns)
    texts = [column.name for column in columns if column.kind == "text"]
    block = pd.DataFrame(numbers, columns=[name for name in names if name not in set(texts)])
    words = {name: as_strings(frame[name]).fillna("").astype("string[pyarrow]").to_numpy(object) for name in texts}
    strings = pd.DataFrame({name: pd.array(words[name], dtype="string[pyarrow]") for name in texts})
    return pd.concat([block, strings], axis=1)[list(names)]
