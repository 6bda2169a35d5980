"""What a column means: a number, a category, a text, a date, or nothing to learn from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mpi_automl.data.dates import date_format, is_ambiguous, parse_dates, varying_parts
from mpi_automl.data.numbers import MOST_WORDS, NumberFormat, number_format
from mpi_automl.data.scripts import count_words
from mpi_automl.data.table import listed, option_value
from mpi_automl.data.task import ColumnKind
from mpi_automl.data.values import Storage, as_floats, as_strings, is_plain, parsed, sorted_texts, storage_of

FEW_VALUES = 20
"""Strings with at most this many different values are categories, whatever their length."""
FREE_TEXT_WORDS = 3.0
"""Strings of at least this many words on average are free text, unless their values recur often ..."""
FREE_TEXT_DISTINCT = 0.5
"""... that is, unless fewer than this share of the rows have different values."""
ID_DISTINCT = 0.9
"""Short strings of which more than this share are different name the rows rather than describe them."""
ODD_NUMBERS = 0.1
"""A column of numbers may have this share of rows with words such as `unknown`, taken as missing ..."""
_LEAST_EXPONENT, _LARGEST_EXPONENT = -20, 100
"""Of numbers as they are: trees split at no difference below 1e-7, and squares in single precision end at 1e38."""
_COMPACT, _FIRST_DAY, _LAST_DAY = "%Y%m%d", 1900_01_01, 2100_12_31
"""Whole numbers between these days are dates if all of a column can be read so."""

_ID_NAME = re.compile(r"(.*[_\s.-])?(id|idx|uid|uuid|guid|key|index|row|rownum|rowid|record)|.*[a-z](Id|ID)", re.ASCII)


@dataclass(frozen=True)
class Column:
    """How one column of a table is encoded.

    Attributes
    ----------
    name : str
    kind : str
        ``numerical``, ``categorical``, ``boolean``, ``text`` or ``date``.
    categories : tuple of str
        Known categories; the code of a category is its position.
    missing : tuple of str
        Words that count as missing in a column of numbers.
    format : str
        Format of dates that come as strings.
    parts : tuple of str
        What dates are expanded to.
    texts : bool
        The values were strings in training: a reader that would guess a type must leave them so.
    numbers : NumberFormat
        How numbers are written where they come as strings.
    prefix : str
        What the names of a date's parts begin with; empty for the column's own name.
    exponent : int
        Numbers are learned in units of two to this power, so that huge and tiny ones keep their differences.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    format: str = ""
    parts: tuple[str, ...] = ()
    texts: bool = False
    numbers: NumberFormat = NumberFormat()
    prefix: str = ""
    exponent: int = 0

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """Names of the encoded columns that this one becomes."""
        return (
            tuple(f"{self.prefix or self.name}.{part}" for part in self.parts) if self.kind == "date" else (self.name,)
        )

    @property
    def encoded_kind(self) -> ColumnKind:
        """Kind of the encoded columns."""
        if self.kind == "text":
            return ColumnKind.TEXT
        return ColumnKind.CATEGORICAL if self.kind in ("categorical", "boolean") else ColumnKind.NUMERICAL

    def to_mapping(self) -> dict[str, Any]:
        """The column as JSON can hold it."""
        plain = self.numbers == NumberFormat()
        optional = {
            "categories": self.categories,
            "missing": self.missing,
            "format": self.format,
            "parts": self.parts,
            "texts": self.texts,
            "numbers": () if plain else (self.numbers.decimal, self.numbers.thousands, self.numbers.unit),
            "prefix": self.prefix,
            "exponent": self.exponent,
        }
        return {"name": self.name, "kind": self.kind, **{key: value for key, value in optional.items() if value}}

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> Column:
        """The column that `to_mapping` described."""
        lists = {key: tuple(mapping.get(key, ())) for key in ("categories", "missing", "parts")}
        return cls(
            mapping["name"],
            mapping["kind"],
            format=mapping.get("format", ""),
            texts=mapping.get("texts", False),
            numbers=NumberFormat(*mapping.get("numbers", ())),
            prefix=mapping.get("prefix", ""),
            exponent=mapping.get("exponent", 0),
            **lists,
        )


class Finding(NamedTuple):
    """What was found out about a column; `column` is None if it is left out, `is_lost` although its values differ."""

    column: Column | None
    note: str = ""
    is_lost: bool = False


def infer_column(name: str, values: pd.Series, override: str = "", *, comma_first: bool = False) -> Finding:
    """Decide what a column means.

    Parameters
    ----------
    name : str
    values : Series
    override : str
        ``categorical`` or ``text`` if a person said so, which settles it.
    comma_first : bool
        Whether the file is rather one with decimal commas; see `number_format`.

    Returns
    -------
    Finding
    """
    if not override and is_plain(values):
        return _plain_numbers(name, values.to_numpy(np.float64))
    found = _infer(name, values, override, comma_first)
    if found.column is None or not _are_texts(values):
        return found
    return found._replace(column=replace(found.column, texts=True))


def _are_texts(values: pd.Series) -> bool:
    storage = storage_of(values)
    if storage is Storage.CATEGORIES:
        return storage_of(pd.Series(values.cat.categories)) is Storage.STRINGS
    return storage is Storage.STRINGS


def _infer(name: str, values: pd.Series, override: str, comma_first: bool) -> Finding:
    present = values[values.notna()]
    if not len(present):
        return Finding(None, f"column {name} is left out: all its values are missing")
    if override == "text":
        return Finding(Column(name, "text"))
    if override == "categorical":
        return _categorical(name, present)
    if len(present) == len(values) and _is_constant(present):
        return Finding(None, f"column {name} is left out: it has one value only")
    storage = storage_of(present)
    if storage is Storage.BOOLEANS:
        return Finding(Column(name, "boolean", ("False", "True")))
    if storage is Storage.DATES:
        return _date(name, parse_dates(present))
    if storage is Storage.CATEGORIES:
        return _categorical(name, present)
    if storage in (Storage.NUMBERS, Storage.DURATIONS):
        return _numerical(name, values)
    texts = as_strings(present).dropna()
    if not len(texts):
        return Finding(None, f"column {name} is left out: all its values are missing")
    return _strings(name, texts, len(values), comma_first)


def _is_constant(present: pd.Series) -> bool:
    try:
        return bool(present.nunique() == 1)
    except TypeError:
        return len(set(map(str, present))) == 1


def _plain_numbers(name: str, floats: np.ndarray[Any, np.dtype[np.float64]]) -> Finding:
    known = floats[~np.isnan(floats)]
    if not len(known):
        return Finding(None, f"column {name} is left out: all its values are missing")
    if len(known) == len(floats) and known.min() == known.max():
        return Finding(None, f"column {name} is left out: it has one value only")
    return _numbers(name, floats)


def _numerical(name: str, values: pd.Series, missing: tuple[str, ...] = ()) -> Finding:
    return _numbers(name, as_floats(values, largest=np.inf), missing)


def _numbers(name: str, floats: np.ndarray[Any, np.dtype[np.float64]], missing: tuple[str, ...] = ()) -> Finding:
    known = floats[np.isfinite(floats)]
    if not len(known):
        return Finding(None, f"column {name} is left out: it has no finite number")
    if not missing and (dated := _compact_dates(name, known)):
        return dated
    column = Column(name, "numerical", missing=missing, exponent=_exponent(known))
    return Finding(column, _id_note(name, known, len(floats)))


def _compact_dates(name: str, known: np.ndarray[Any, np.dtype[np.float64]]) -> Finding | None:
    """Numbers such as 20240131, if all of them are dates."""
    if known.min() < _FIRST_DAY or known.max() > _LAST_DAY or not np.all(known == np.floor(known)):
        return None
    distinct = pd.Series(np.unique(known).astype(np.int64).astype(str), dtype=object)
    if len(distinct) <= FEW_VALUES or parse_dates(distinct, _COMPACT).isna().any():
        return None
    return _date_strings(name, distinct, _COMPACT)


def _exponent(known: np.ndarray[Any, np.dtype[np.float64]]) -> int:
    """The power of two that takes half of the numbers to [-1, 1] if learners would lose them as they are, else 0."""
    sizes = np.abs(known[known != 0.0])
    exponent = int(np.frexp(np.median(sizes))[1]) if len(sizes) else 0
    return 0 if _LEAST_EXPONENT <= exponent <= _LARGEST_EXPONENT else exponent


def _id_note(name: str, known: np.ndarray[Any, np.dtype[np.float64]], n_rows: int) -> str:
    if len(known) < max(n_rows, FEW_VALUES) or known[0] != np.floor(known[0]) or not np.all(known == np.floor(known)):
        return ""
    numbers_rows = known.max() - known.min() == n_rows - 1
    if (numbers_rows or _ID_NAME.fullmatch(name)) and len(np.unique(known)) == n_rows:
        return (
            f"column {name} looks like an id of the rows; if it is one, leave it out with --drop {option_value(name)}"
        )
    return ""


def _categorical(name: str, present: pd.Series) -> Finding:
    categories = sorted_texts(list(pd.unique(as_strings(present).dropna())))
    if isinstance(present.dtype, pd.CategoricalDtype) and present.cat.ordered:
        seen = set(categories)
        categories = [text for text in as_strings(pd.Series(present.cat.categories)) if text in seen]
    return Finding(Column(name, "categorical", tuple(categories)))


def _date(name: str, dates: pd.DatetimeIndex, form: str = "") -> Finding:
    parts = varying_parts(dates)
    if not parts:
        return Finding(None, f"column {name} is left out: all its dates are the same")
    return Finding(Column(name, "date", format=form, parts=parts), f"column {name} is a date: {', '.join(parts)}")


def _date_strings(name: str, distinct: pd.Series, form: str) -> Finding:
    found = _date(name, parse_dates(distinct, form), form)
    doubt = ", month first as no row says otherwise" if is_ambiguous(distinct, form) else ""
    return found._replace(note=f"{found.note} (read as {form}{doubt})") if found.column is not None else found


def _strings(name: str, texts: pd.Series, n_rows: int, comma_first: bool) -> Finding:
    distinct = pd.Series(pd.unique(texts), dtype=object)
    if {text.lower() for text in distinct.iloc[:3]} == {"true", "false"} and len(distinct) == 2:
        return Finding(Column(name, "boolean", ("False", "True")))
    if numbers := _numbers_in_strings(name, texts, distinct):
        return numbers
    if form := date_format(distinct):
        return _date_strings(name, distinct, form)
    if marked := _marked_numbers(name, texts, distinct, comma_first):
        return marked
    if len(distinct) <= FEW_VALUES:
        return _categorical(name, texts)
    words = float(distinct.iloc[:1000].map(count_words).mean())
    share = len(distinct) / len(texts)
    if words >= FREE_TEXT_WORDS and share >= FREE_TEXT_DISTINCT and _has_more_words_than_numbers(distinct):
        return Finding(Column(name, "text"), f"column {name} is read as free text")
    if share > ID_DISTINCT:
        value = option_value(name)
        note = f"column {name} is left out: it looks like an id of the rows, {len(distinct)} different short strings"
        return Finding(None, f"{note} (keep it with --categorical {value} or --text {value})", True)
    return _categorical(name, texts)


def _has_more_words_than_numbers(distinct: pd.Series) -> bool:
    """Whether more than half of the words have letters: `05. Mai 2020` is no text."""
    words = [word for text in distinct.iloc[:1000] for word in text.split()]
    return 2 * sum(any(char.isalpha() for char in word) for word in words) > len(words)


def _numbers_in_strings(name: str, texts: pd.Series, distinct: pd.Series) -> Finding | None:
    floats = parsed(distinct)
    odd = distinct[np.isnan(floats)]
    if len(odd) == len(distinct):
        return None
    if not len(odd):
        return _numerical(name, pd.Series(parsed(texts, largest=np.inf)))
    if len(odd) > MOST_WORDS or len(distinct) - len(odd) <= FEW_VALUES or texts.isin(odd).mean() > ODD_NUMBERS:
        return None
    words = tuple(sorted(odd))
    found = _numerical(name, pd.Series(parsed(texts, largest=np.inf)), words)
    return Finding(found.column, f"column {name} has numbers; {listed(words)} in it count as missing")


def _marked_numbers(name: str, texts: pd.Series, distinct: pd.Series, comma_first: bool) -> Finding | None:
    found = number_format(distinct, comma_first=comma_first)
    if found is None:
        return None
    form, words = found
    if words and (len(distinct) - len(words) <= FEW_VALUES or texts.isin(words).mean() > ODD_NUMBERS):
        return None
    floats = form.parse(texts, largest=np.inf)
    column = _numbers(name, floats, words).column
    if column is None:
        return None
    first = int(np.flatnonzero(~np.isnan(floats))[0])
    note = f"column {name} is read as numbers: {texts.iloc[first]!r} is {floats[first]:.15g}"
    note += f"; {listed(words)} in it count as missing" if words else ""
    return Finding(replace(column, numbers=form), note)
