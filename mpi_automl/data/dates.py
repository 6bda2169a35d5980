"""Dates: telling them from other strings, and expanding them to numbers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE = 1_000
_NUMBERS = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_DAY_MONTH = r"\d{1,2}[-/. ][A-Za-z]{3,9}[-/., ]\s?\d{2,4}"
_MONTH_DAY = r"[A-Za-z]{3,9} \d{1,2},? \d{4}"
_MONTH = r"(?:19|20)\d\d[-/]\d{1,2}|\d{1,2}/(?:19|20)\d\d|[A-Za-z]{3,9}[-/ ](?:19|20)\d\d"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )"
_C_DATE = "%a %b %d %H:%M:%S %Y"
_LIKE_C_DATE = r"[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}"
_LIKE_A_DATE = re.compile(
    rf"\s*{_WEEKDAY}?({_NUMBERS}|{_DAY_MONTH}|{_MONTH_DAY}|{_MONTH})([T\s]+\d{{1,2}}:\d{{2}}.*)?\s*|\s*{_LIKE_C_DATE}\s*"
)
_NUMBER_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%m-%d-%y", "%d-%m-%y", "%y/%m/%d"),
    *("%Y/%m", "%m/%Y"),
)
_DAY_MARKS = ("%d-{}-%Y", "%d {} %Y", "%d/{}/%Y", "%d.{}.%Y", "%d {}, %Y", "%d-{}-%y", "%d {} %y", "%d/{}/%y")
_MONTH_FIRST = ("{} %d, %Y", "{} %d %Y", "{} %Y", "{}-%Y", "{}/%Y")
_NAMED_DAYS = tuple(form.format(month) for month in ("%b", "%B") for form in (*_DAY_MARKS, *_MONTH_FIRST))
_TIMES = (" %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %I:%M%p", " %I:%M:%S%p")
_ISO = "ISO8601"
_QUARTER = "quarters"
_QUARTERS = r"\s*(?:(?P<year>(?:19|20)\d\d)[- ]?Q(?P<q>[1-4])|Q(?P<first>[1-4])[- /]?(?P<last>(?:19|20)\d\d))\s*"
_EPOCH_WEEKDAY = 3

_PARTS: dict[str, Callable[[pd.DatetimeIndex], NDArray[np.float64]]] = {
    "days": lambda dates: _days(dates),
    "year": lambda dates: dates.year,
    "month": lambda dates: dates.month,
    "day": lambda dates: dates.day,
    "weekday": lambda dates: (np.floor(_days(dates)) + _EPOCH_WEEKDAY) % 7,
    "hour": lambda dates: dates.hour,
    "minute": lambda dates: dates.minute,
}
"""What a date is expanded to; `days` counts from 1970-01-01 and has the time of the day as its fraction."""


def date_format(texts: pd.Series) -> str:
    """The format in which all strings (without missing ones) are dates; empty if they are not dates.

    Month first is tried before day first, so 01/02/2024 is taken as the second of January unless some
    other row has a first number above twelve.
    """
    sample = texts.iloc[: min(_SAMPLE, len(texts))]
    if len(texts) and all(re.fullmatch(_QUARTERS, text) for text in texts):
        return _QUARTER
    if not len(sample) or not all(_LIKE_A_DATE.fullmatch(text) for text in sample):
        return ""
    first = str(sample.iloc[0]).strip()
    heads: tuple[str, ...] = ("",)
    if weekday := re.match(_WEEKDAY, first):
        heads, first = ("%a ", "%a, ", "%A ", "%A, "), first[weekday.end() :]
    named = re.match(r"\s*(\d{1,2}[-/. ])?[A-Za-z]", first) is not None
    times = _TIMES if ":" in first else ("",)
    days = _NAMED_DAYS if named else _NUMBER_DAYS
    for candidate in [_ISO, _C_DATE, *(head + day + time for head in heads for day in days for time in times)]:
        if not parse_dates(sample, candidate).isna().any() and not parse_dates(texts, candidate).isna().any():
            return candidate
    return ""


def is_ambiguous(texts: pd.Series, form: str) -> bool:
    """Whether dates that were read with the month first can all be read with the day first, too."""
    if not form.startswith("%m"):
        return False
    other = form.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    return not bool(parse_dates(texts, other).isna().any())


def parse_dates(values: pd.Series, form: str = "") -> pd.DatetimeIndex:
    """Dates in UTC without a time zone, NaT where missing or not a date of this format."""
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    if form == _QUARTER:
        values, form = values.map(_quarter_start, na_action="ignore"), _ISO
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dates = pd.to_datetime(values, errors="coerce", utc=True, format=form or None)
    return pd.DatetimeIndex(dates).tz_localize(None)


def _quarter_start(text: str) -> str:
    """The first day of a quarter such as 2020Q1 or Q1 2020; any other text as it is."""
    match = re.fullmatch(_QUARTERS, text)
    if match is None:
        return text
    return f"{match['year'] or match['last']}-{3 * int(match['q'] or match['first']) - 2:02d}-01"


def varying_parts(dates: pd.DatetimeIndex) -> tuple[str, ...]:
    """Names of the parts that are not the same in all rows."""
    known = dates[~dates.isna()]
    return tuple(name for name, part in _PARTS.items() if len(np.unique(np.asarray(part(known)))) > 1)


def date_parts(dates: pd.DatetimeIndex, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Parts of the dates, shape (n_rows, len(names)), NaN where missing."""
    columns = [np.asarray(_PARTS[name](dates), dtype=np.float64) for name in names]
    parts = np.column_stack(columns) if columns else np.empty((len(dates), 0))
    parts[np.asarray(dates.isna())] = np.nan
    return parts


def _days(dates: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Days since 1970-01-01, without pandas' arithmetic, which overflows for dates before 1678."""
    moments = dates.to_numpy()
    whole = moments.astype("datetime64[D]")
    days = whole.astype(np.int64) + (moments - whole.astype(moments.dtype)) / np.timedelta64(1, "D")
    return np.asarray(days, dtype=np.float64)
