"""The values of one column, whatever type they came with."""

from __future__ import annotations

import warnings
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 1e38
"""Features beyond this are clipped: many learners compute in single precision."""

_BOOLEANS = {"true": "True", "false": "False", "1": "True", "0": "False", "yes": "True", "no": "False"}


class Storage(str, Enum):
    """What the values of a column are, before deciding what they mean."""

    EMPTY = "empty"
    BOOLEANS = "booleans"
    NUMBERS = "numbers"
    DATES = "dates"
    DURATIONS = "durations"
    CATEGORIES = "categories"
    STRINGS = "strings"


_OBJECTS = {
    "boolean": Storage.BOOLEANS,
    "integer": Storage.NUMBERS,
    "floating": Storage.NUMBERS,
    "mixed-integer-float": Storage.NUMBERS,
    "decimal": Storage.NUMBERS,
    "date": Storage.DATES,
    "datetime": Storage.DATES,
    "datetime64": Storage.DATES,
    "timedelta": Storage.DURATIONS,
    "timedelta64": Storage.DURATIONS,
}


def is_plain(values: pd.Series) -> bool:
    """Whether the values are numbers of a NumPy dtype."""
    return isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf"


def storage_of(values: pd.Series) -> Storage:
    """Kind of the values, from the dtype, or from the objects where the dtype says nothing."""
    if is_plain(values):
        return Storage.NUMBERS
    dtype, types = values.dtype, pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return Storage.CATEGORIES
    if types.is_bool_dtype(dtype):
        return Storage.BOOLEANS
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return Storage.DATES
    if types.is_timedelta64_dtype(dtype):
        return Storage.DURATIONS
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return Storage.NUMBERS
    return _OBJECTS.get(types.infer_dtype(values, skipna=True), Storage.STRINGS)


def as_floats(values: pd.Series, largest: float = LARGEST) -> NDArray[np.float64]:
    """Numbers, booleans or durations (in seconds) as float64, NaN where missing, clipped as `finite` does."""
    if is_plain(values):
        return finite(values.to_numpy(np.float64), largest)
    if storage_of(values) is Storage.DURATIONS:
        values = pd.to_timedelta(values, errors="coerce").dt.total_seconds()
    return finite(_floats(values), largest)


def finite(floats: NDArray[np.float64], largest: float = LARGEST) -> NDArray[np.float64]:
    """The same numbers, infinite ones missing and huge ones clipped to ± `largest`; as they are if it is infinite."""
    if not floats.size or max(abs(floats.max()), abs(floats.min())) <= largest:
        return floats
    return np.clip(np.where(np.isinf(floats), np.nan, floats), -largest, largest)


def parsed(texts: pd.Series, largest: float = LARGEST) -> NDArray[np.float64]:
    """Strings as float64, NaN where they are missing or not numbers, clipped as `finite` does."""
    return finite(_floats(texts.astype(object)), largest)


def as_strings(values: pd.Series) -> pd.Series:
    """Values as strings (dtype object), None where missing or empty; equal values give equal strings in every table.

    Whole numbers are written without a fraction, so a column of integers gives the same strings when
    missing values have made it one of floats.
    """
    codes, uniques = factorized(values)
    texts = np.empty(len(uniques) + 1, dtype=object)
    texts[:-1] = [canonical(value) or None for value in uniques]
    texts[-1] = None
    return pd.Series(texts[codes], index=values.index, dtype=object)


def factorized(values: pd.Series) -> tuple[NDArray[np.int64], list[Any]]:
    """Number of each row's value (-1 where missing), and the distinct values in order of appearance."""
    try:
        codes, uniques = pd.factorize(_as_texts(values) if _is_mixed(values) else values)
    except TypeError:
        codes, uniques = pd.factorize(_as_texts(values))
    return codes.astype(np.int64), list(uniques)


def _is_mixed(values: pd.Series) -> bool:
    """Whether there are objects of several types: to pandas 1 and True are equal, as names they are two."""
    return bool(values.dtype == object) and str(pd.api.types.infer_dtype(values, skipna=True)).startswith("mixed")


def _as_texts(values: pd.Series) -> NDArray[np.object_]:
    return np.array([None if _is_missing(value) else canonical(value) for value in values], dtype=object)


def canonical(value: Any) -> str:
    """One value as a string."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value).encode("utf-8", "replace").decode("utf-8").strip()


def as_boolean_text(text: str) -> str:
    """``True`` or ``False`` for the usual spellings of these, any other text as it is."""
    return _BOOLEANS.get(text.lower(), text)


def sorted_texts(texts: list[str]) -> list[str]:
    """Texts in numerical order if all are numbers, else in alphabetical order."""
    try:
        return sorted(texts, key=lambda text: (float(text), text))
    except ValueError:
        return sorted(texts)


def _floats(values: pd.Series) -> NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(values.dtype):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    # Whole numbers of more than 64 bits and decimals stay objects.
    return np.array([_float(value) for value in values], dtype=np.float64)


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _is_missing(value: Any) -> bool:
    missing = pd.isna(value)
    return bool(missing) if isinstance(missing, (bool, np.bool_)) else False
