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
    is_plain,
    storage_of,
)
from mpi_automl.errors import UserError

MOST_UNKNOWN = 0.5
"""Above this share of unknown values, a column is rather read wrongly, or of another table, than full of news."""


def encode_frame(
    frame: pd.DataFrame, columns: Sequence[Column], doubts: list[str] | None = None
) -> NDArray[np.float64] | pd.DataFrame:
    """Encode the columns of a table by name.

    Categories become codes, NaN where missing or not among the known ones; dates become numbers. With text
    columns the result is a DataFrame, in which texts are strings ("" where missing).

    Parameters
    ----------
    frame : DataFrame
    columns : sequence of Column
    doubts : list of str, optional
        Gets a sentence for each column most of whose values are unknown.

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
            if doubts is not None and (doubt := _doubt(column, frame[column.name], encoded)):
                doubts.append(doubt)
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


def _doubt(column: Column, values: pd.Series, encoded: NDArray[np.float64]) -> str:
    if column.kind == "numerical" and is_plain(values):
        return ""
    present = values.notna().to_numpy() & (values.astype(object) != "").to_numpy()
    unknown = np.flatnonzero(present & np.isnan(encoded[:, 0]))
    if len(unknown) <= MOST_UNKNOWN * present.sum():
        return ""
    examples = list(dict.fromkeys(str(values.iloc[i]) for i in unknown[:100]))
    trained = f"; in training it had {listed(column.categories, 3)}" if column.categories else ""
    return (
        f"{len(unknown)} of {present.sum()} values of column {column.name} are unknown to the model and count as "
        f"missing, such as {listed(examples, 3)}{trained}"
    )


def _codes(column: Column, values: pd.Series) -> NDArray[np.float64]:
    numbers, uniques = factorized(values)
    texts = [canonical(value) for value in uniques]
    if column.kind == "boolean":
        texts = [as_boolean_text(text) for text in texts]
    known = {text: float(code) for code, text in enumerate(column.categories)}
    codes = [known.get(text, np.nan) for text in texts]
    if column.kind == "categorical" and any(text not in known for text in texts):
        alike = _codes_by_value(column)
        codes = [
            code if text in known or (column.texts and isinstance(value, str)) else alike.get(_value(value), np.nan)
            for value, text, code in zip(uniques, texts, codes, strict=True)
        ]
    return np.array([*codes, np.nan])[numbers]


def _codes_by_value(column: Column) -> dict[Any, float]:
    """Codes of categories by the number or truth value that they spell, where only one category spells it.

    Thus ``001`` is found as 1 in a table whose dtype has lost the zeros, and the category 1 in a string ``1.0``.
    """
    values = [_value(text) for text in column.categories]
    return {value: float(code) for code, value in enumerate(values) if value is not None and values.count(value) == 1}


def _value(value: Any) -> Any:
    text = canonical(value).lower()
    if text in ("true", "false"):
        return text
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(column: Column, values: pd.Series) -> NDArray[np.float64]:
    storage = storage_of(values)
    if storage in (Storage.NUMBERS, Storage.BOOLEANS, Storage.DURATIONS):
        return _in_units(column, as_floats(values, largest=np.inf))
    if storage is Storage.DATES:
        raise UserError(f"Column {column.name} has dates where the training table has numbers.")
    texts = as_strings(values)
    floats = column.numbers.parse(texts, largest=np.inf)
    odd = np.isnan(floats) & texts.notna().to_numpy() & ~texts.isin([*column.missing, "", "nan", "inf", "-inf"])
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise UserError(
            f"Column {column.name} must have numbers as in the training table; row {row + 1} has {texts.iloc[row]!r}."
        )
    return _in_units(column, floats)


def _in_units(column: Column, floats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers in the units of the column; infinite ones are missing."""
    with np.errstate(over="ignore"):
        return finite(np.ldexp(floats, -column.exponent) if column.exponent else floats)


def _dates(column: Column, values: pd.Series) -> pd.DatetimeIndex:
    if storage_of(values) is Storage.DATES or not values.notna().any():
        return parse_dates(values)
    texts = as_strings(values)
    dates = parse_dates(texts, column.format or "ISO8601")
    if column.format and dates.isna().any():
        dates = dates.where(~dates.isna(), parse_dates(texts, "ISO8601"))
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
