"""Numbers in strings with marks and units: ``1,234.50``, ``$1,234``, ``12 %``, ``(1,200)``, ``1.234,5 EUR``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mpi_automl.data.values import LARGEST, finite, parsed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MOST_WORDS = 3
"""A column of numbers may have this many different words, such as `unknown`."""
_SAMPLE = 1_000
_UNIT = r"US\$|[$€£¥₹₩%]|USD|EUR|GBP|CHF|JPY|CNY|INR"
_MARKED = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+−])?\s*(?P<before>{_UNIT})?\s*(?P<inner>[-+−])?"
    r"(?P<digits>[\d.,' ]*\d[.,]?(?:[eE][-+]?\d+)?)"
    rf"\s*(?P<after>{_UNIT})?\s*(?P<close>\))?"
)
_PLAIN_MARKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})
_POINT_FIRST = ((".", ""), (".", ","), (".", "'"), (".", " "), (",", ""), (",", "."), (",", " "), (",", "'"))
_COMMA_FIRST = ((",", "."), (",", ""), (",", " "), (",", "'"), *_POINT_FIRST[:4])


class _Marked(NamedTuple):
    sign: int
    digits: str
    unit: str


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of one column are written.

    Attributes
    ----------
    decimal : str
        Decimal mark.
    thousands : str
        Mark between groups of three digits; empty if there is none.
    unit : str
        Currency or percent sign, for the note only: values keep their size, 12 % is 12.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    def parse(self, texts: pd.Series, largest: float = LARGEST) -> NDArray[np.float64]:
        """Strings as float64, NaN where they are missing or not numbers of this format, clipped as `finite` does."""
        # With a point between thousands, 1.234 is not what the plain parser takes it for.
        floats = np.full(len(texts), np.nan) if self.thousands == "." else parsed(texts, largest)
        for i in np.flatnonzero(np.isnan(floats) & texts.notna().to_numpy()):
            floats[i] = self._float(texts.iloc[i])
        return finite(floats, largest)

    def _float(self, text: str) -> float:
        marked = _marked(text)
        if marked is None:
            return np.nan
        if not _pattern(self.decimal, self.thousands).fullmatch(marked.digits):
            return self._plain(text)
        digits = marked.digits.replace(self.thousands, "") if self.thousands else marked.digits
        return marked.sign * float(digits.replace(self.decimal, "."))

    def _plain(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return np.nan


def number_format(distinct: pd.Series, *, comma_first: bool = False) -> tuple[NumberFormat, tuple[str, ...]] | None:
    """The one format in which all strings are numbers, and the words among them; None if there is no such format.

    Parameters
    ----------
    distinct : Series of str
        The different values of a column.
    comma_first : bool
        Whether ``1,234`` is rather a decimal comma than a thousand, where all values can be read either way.
    """
    if _n_strange(distinct.iloc[:_SAMPLE]) > MOST_WORDS:
        return None
    words = tuple(sorted(text for text in distinct if not any(char.isdigit() for char in text)))
    found = [_marked(text) for text in distinct if any(char.isdigit() for char in text)]
    marked = [number for number in found if number is not None]
    units = {number.unit for number in marked if number.unit or number.digits.strip("0.,")}
    if not marked or len(marked) < len(found) or len(words) > MOST_WORDS or len(units) > 1:
        return None
    for decimal, thousands in _COMMA_FIRST if comma_first else _POINT_FIRST:
        pattern = _pattern(decimal, thousands)
        if all(pattern.fullmatch(number.digits) for number in marked):
            return NumberFormat(decimal, thousands, next(iter(units), "")), words
    return None


def _n_strange(texts: pd.Series) -> int:
    return sum(_marked(text) is None for text in texts)


def _marked(text: str) -> _Marked | None:
    match = _MARKED.fullmatch(text.translate(_PLAIN_MARKS).strip())
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    signs = [sign for sign in (match["open"], match["sign"], match["inner"]) if sign]
    if len(signs) > 1 or (match["before"] and match["after"]):
        return None
    negative = bool(signs) and signs[0] != "+"
    return _Marked(-1 if negative else 1, match["digits"].strip(), match["before"] or match["after"] or "")


@lru_cache(maxsize=16)
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point, mark = re.escape(decimal), re.escape(thousands)
    # A group of thousands does not begin with zero: 0,123 has a decimal comma.
    whole = rf"(?:[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|\d+)" if thousands else r"\d+"
    return re.compile(rf"(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?")
