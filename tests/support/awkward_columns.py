"""Columns in dress: numbers, dates, truth values, codes, mixed types, gaps, scales, names and texts."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from awkward_tables import FILES, FRAMES, Case, kind, plain, signs, with_holes

MARKS = {
    "thousands": lambda v: f"{v:,.2f}",
    "dollars": lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}",
    "percent": lambda v: f"{v:.2f} %",
    "parentheses": lambda v: f"({-v:,.2f})" if v < 0 else f"{v:,.2f}",
    "German": lambda v: f"{v:,.2f} EUR".translate(str.maketrans(",.", ".,")),
    "French": lambda v: f"{v:,.2f} €".translate(str.maketrans(",.", "\u202f,")),
    "Swiss": lambda v: f"CHF {v:,.2f}".replace(",", "’"),
    "plus signs": lambda v: f"{v:+.2f}",
    "trailing minus": lambda v: f"{-v:.2f}-" if v < 0 else f"{v:.2f}",
    "kilograms": lambda v: f"{v:.2f} kg",
    "letters for powers": lambda v: f"{v / 1e3:.3f}K",
    "scientific": lambda v: f"{v:.4E}",
    "underscores": lambda v: f"{round(v):_}",
    "wide digits": lambda v: f"{v:.2f}".translate({48 + i: 0xFF10 + i for i in range(10)}),
    "blanks around": lambda v: f"\u00a0 {v:.2f} ",
    "hexadecimal": lambda v: hex(round(v) + 40_000),
    "minus sign of typographers": lambda v: f"{v:.2f}".replace("-", "−"),
    "about": lambda v: f"~{v:.2f}",
    "at most": lambda v: f"<{v:.2f}",
}
"""How a number around 5,000 may be written."""


def _marked(rng: np.random.Generator, dress: Callable[[float], str]) -> Case:
    p = plain(rng)
    return p.case([dress(float(value)) for value in np.round(5_000 * p.key, 2)])


kind("numbers in dress", MARKS, _marked)

_DAY = datetime.date(2020, 1, 1)
FORMATS = (
    *("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%d/%m/%Y", "%d-%b-%Y", "%B %d, %Y", "%d %b %y", "%Y/%m/%d", "%Y%m%d"),
    *("%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S+02:00", "%d.%m.%Y %H:%M"),
    *("%A, %d %B %Y", "%Y-W%W", "%b %Y", "%Y-%m", "%d%b%Y", "%a %b %d %H:%M:%S %Y"),
)
DATES: dict[str, Any] = {
    **{form: lambda dates, form=form: dates.dt.strftime(form) for form in FORMATS},
    "seconds since 1970": lambda dates: (dates - pd.Timestamp(0)) // pd.Timedelta(seconds=1),
    "milliseconds since 1970": lambda dates: (dates - pd.Timestamp(0)) // pd.Timedelta(milliseconds=1),
    "days of Excel": lambda dates: (dates - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1),
    "quarters": lambda dates: dates.dt.to_period("Q").astype(str),
    "months of Germans": lambda dates: (
        dates.dt.strftime("%d. ") + dates.dt.month.map(_german) + dates.dt.strftime(" %Y")
    ),
    "with a time zone": lambda dates: dates.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    "objects": lambda dates: pd.Series([moment.date() for moment in dates], dtype=object),
    "periods": lambda dates: dates.dt.to_period("D"),
    "Arrow": lambda dates: dates.astype("timestamp[us][pyarrow]"),
}
MONTHS = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]


def _german(month: int) -> str:
    return MONTHS[month - 1]


def _dated(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng)
    moments = pd.Series(pd.Timestamp(_DAY) + pd.to_timedelta(np.round(400 * p.key * 1440), unit="min"))
    routes = (*FRAMES, "csv>csv") if name in ("with a time zone", "objects", "periods", "Arrow") else FRAMES + FILES
    return p.case(DATES[name](moments.astype("datetime64[us]")), routes=routes)


kind("dates in dress", {name: name for name in DATES}, _dated)


def _before_1678(rng: np.random.Generator, years: tuple[int, int]) -> Case:
    first, last = years
    middle, width = (first + last) / 2 * 365.25, (last - first) / 2 * 365.25 / 4
    p = plain(rng)
    days = np.clip(np.round(middle + width * p.key), first * 365.25 + 366, last * 365.25)
    return p.case([datetime.date.fromordinal(int(day)).isoformat() for day in days], routes=FRAMES + ("csv>csv",))


kind("dates long ago and far ahead", {"1400 to 1600": (1400, 1600), "1 to 9998": (1, 9998)}, _before_1678)

WORDS: dict[str, tuple[Any, Any]] = {
    **{f"{yes}, {no}": (yes, no) for yes, no in (("yes", "no"), ("Y", "N"), ("T", "F"), ("on", "off"), ("ja", "nein"))},
    **{f"{yes}, {no}": (yes, no) for yes, no in (("TRUE", "FALSE"), ("1", "0"), ("+", "-"), ("✓", "✗"), ("x", " "))},
    **{f"{yes!r}, {no!r}": (yes, no) for yes, no in ((True, False), (1.0, 0.0), (b"yes", b"no"), ("true", "false"))},
    "NA, ok": ("NA", "ok"),
}


def _truth(rng: np.random.Generator, words: tuple[Any, Any]) -> Case:
    p = plain(rng, key=signs(rng))
    routes = FRAMES[:1] if isinstance(words[0], bytes) else FRAMES + FILES
    return p.case([words[0] if value > 0 else words[1] for value in p.key], routes=routes)


kind("truth in words", WORDS, _truth)


def _truth_with_a_third(rng: np.random.Generator, third: Any) -> Case:
    p = plain(rng, key=lambda total: rng.choice([-1.0, 1.0], total))
    key = pd.Series(np.where(p.key > 0, "TRUE", "FALSE"), dtype=object)
    training = key.where(np.arange(len(key)) % 10 != 0, third)
    clean = p.clean.assign(key=training.map({"TRUE": "yes", "FALSE": "no"}).fillna("third"))
    clean.loc[clean.index >= p.n, "key"] = key.map({"TRUE": "yes", "FALSE": "no"})
    return p.case(training, new_key=key, clean=clean)


kind("a third value that new rows lack", {"UNKNOWN": "UNKNOWN", "missing": None, "2": "2"}, _truth_with_a_third)

CODES: dict[str, Callable[[int], Any]] = {
    "zip codes": lambda i: f"{1067 + 977 * i:05d}",
    "plants": lambda i: f"00{i}" if i < 7 else "00X",
    "sizes": lambda i: ("1.50", "1E5", "XL", "+1", "2.0", "02", "1e5", "1.5")[i],
    "diagnoses": lambda i: f"E{i + 10}.{i}",
    "countries": lambda i: ("NA", "DE", "FR", "NO", "US", "IN", "IT", "ES")[i],
    "words for nothing": lambda i: ("none", "-", "unknown", "0", "zero", "void", "nil", "empty")[i],
    "words that are numbers": lambda i: ("inf", "nan?", "-inf?", "Infinity", "1", "one", "I", "1.0")[i],
    "versions": lambda i: f"1.{i + 4}.{i}",
    "hours": lambda i: f"{i + 8:02d}:30",
    "intervals": lambda i: f"[{10 * i}, {10 * i + 10})",
    "case matters": lambda i: ("a", "A", "b", "B", "aa", "Aa", "AA", "aA")[i],
    "long": lambda i: "the same beginning of all of them " * 9 + str(i),
    "mixed types": lambda i: (1, "1b", 2.5, "two", True, "yes", (3, 4), "4")[i],
    "integers said to be names": lambda i: (7, 3, 1, 8, 2, 6, 5, 4)[i],
    "dates as names": lambda i: f"2020-0{i + 1}",
}


def _coded(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng, levels=8)
    options = {"categorical": "key"} if name in ("integers said to be names", "dates as names", "zip codes") else {}
    routes = FRAMES[:1] if name == "mixed types" else FRAMES + FILES
    return p.case([CODES[name](level) for level in p.levels], options=options, routes=routes)


kind("codes", {name: name for name in CODES}, _coded)


def _digits_only_later(rng: np.random.Generator, later: str) -> Case:
    """Training codes have letters; new rows are those without."""
    p = plain(rng, levels=8)
    codes = np.array(
        [f"{3 + 7 * level:03d}" if level < 6 else f"00{'XY'[level - 6]}" for level in p.levels], dtype=object
    )
    kept = np.concatenate([np.arange(p.n), p.n + np.flatnonzero(p.levels[p.n :] < 6)])
    X, clean = pd.DataFrame({**p.columns, "key": codes}), p.clean
    found = p.of(X, clean=clean, routes=("csv>csv", "parquet>csv", "frame>read_csv") if later == "file" else FRAMES)
    rows = kept[p.n :] - p.n
    new = found.new.iloc[rows].reset_index(drop=True)
    if later == "numbers":
        new = new.assign(key=new["key"].astype(int))
    return replace(found, new=new, clean_new=found.clean_new.iloc[rows], truth=found.truth[rows])


kind("codes of which new rows have digits only", {"file": "file", "numbers": "numbers"}, _digits_only_later)

MANY = {"40 codes": (40, "K{:04d}"), "90 words": (90, "street no. {}"), "60 numbers": (60, "{:06d}x")}


def _many_codes(rng: np.random.Generator, how: tuple[int, str]) -> Case:
    count, form = how
    p = plain(rng, rows=7 * count, levels=count)
    return p.case([form.format(level) for level in p.levels])


kind("many categories", MANY, _many_codes)

TYPES: dict[str, Callable[[float, int], Any]] = {
    "int, float and text": lambda v, i: (round(v), float(v), str(v))[i % 3],
    "decimals": lambda v, i: Decimal(f"{v:.2f}"),
    "fractions": lambda v, i: Fraction(round(v * 8), 8),
    "integers beyond 64 bits": lambda v, i: round(v * 100) * 10**20,
    "NumPy scalars": lambda v, i: (np.float32(v), np.int64(round(v)), np.float64(v))[i % 3],
    "None among numbers": lambda v, i: None if i % 9 == 0 else float(v),
    "three kinds of nothing": lambda v, i: (None, np.nan, pd.NA)[i % 3] if i % 5 == 0 else float(v),
    "truth among numbers": lambda v, i: True if i % 40 == 0 else float(v),
    "bytes": lambda v, i: f"{v:.2f}".encode(),
    "lists of one": lambda v, i: [float(v)],
    "arrays of one": lambda v, i: np.array([v]),
    "dictionaries": lambda v, i: {"value": float(v)},
    "complex": lambda v, i: complex(v, 0.0),
    "tuples": lambda v, i: (float(v), 0.0),
}


def _typed(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng)
    values = np.round(100 * p.key, 2)
    cells = pd.Series([TYPES[name](float(value), i) for i, value in enumerate(values)], dtype=object)
    clean = p.clean.assign(key=np.where(cells.isna(), np.nan, p.key)) if "No" in name or "nothing" in name else p.clean
    wrong = "key" if name in ("lists of one", "arrays of one", "dictionaries", "complex", "tuples") else ""
    return p.case(cells, clean=clean, routes=FRAMES[:1], wrong=wrong)


kind("cells of mixed types", {name: name for name in TYPES}, _typed)

GAPS: dict[str, Any] = {
    "missing": (0.3, np.nan),
    "mostly missing": (0.8, np.nan),
    "None": (0.3, None),
    "infinite": (0.2, np.inf),
    "not measured": (0.08, "not measured"),
    "question marks": (0.2, "?"),
    "dashes": (0.08, "-"),
    "#N/A": (0.2, "#N/A"),
    "#DIV/0!": (0.05, "#DIV/0!"),
    "points": (0.08, "."),
    "several words": (0.06, "unknown"),
    "empty texts": (0.2, ""),
}


def _holed(rng: np.random.Generator, how: tuple[float, Any]) -> Case:
    share, hole = how
    p = plain(rng)
    cells = with_holes(rng, p.key, share, hole)
    if hole == "unknown":
        cells = with_holes(rng, cells, 0.03, "broken")
    numbers = pd.to_numeric(cells, errors="coerce").replace(np.inf, np.nan)
    cells = cells.astype(float) if not isinstance(hole, str) and hole is not None else cells
    routes = (*FRAMES, "csv>csv", "csv>parquet", "tsv>csv.gz") if not isinstance(hole, str) else (*FRAMES, "csv>csv")
    return p.case(cells, clean=p.clean.assign(key=numbers), routes=routes)


kind("gaps", GAPS, _holed)


def _holed_elsewhere(rng: np.random.Generator, where: str) -> Case:
    p = plain(rng)
    X = pd.DataFrame(p.columns)
    holes = rng.random(len(X)) < 0.3
    if where == "new rows":
        X.loc[holes & (X.index >= p.n), "key"] = np.nan
    elif where == "training rows":
        X.loc[holes & (X.index < p.n), "key"] = np.nan
    elif where == "whole rows":
        X[holes & (rng.random(len(X)) < 0.3)] = np.nan
    elif where == "a column without any value":
        X["x_none"] = np.nan
    elif where == "a column without any value in new rows":
        X["x_late"] = np.where(X.index < p.n, rng.normal(size=len(X)), np.nan)
    elif where == "low values":
        X.loc[(X["key"] < -1.2), "x1"] = np.nan
    clean = X.drop(columns="x_none", errors="ignore")
    return p.of(X, clean=clean)


_PLACES = ("new rows", "training rows", "whole rows", "a column without any value", "low values")
kind(
    "gaps somewhere", {where: where for where in (*_PLACES, "a column without any value in new rows")}, _holed_elsewhere
)

DTYPES: dict[str, Callable[[Any], Any]] = {
    "float16": lambda v: v.astype(np.float16),
    "float32": lambda v: v.astype(np.float32),
    "int8": lambda v: np.clip(np.round(30 * v), -128, 127).astype(np.int8),
    "uint64 above 2^63": lambda v: np.uint64(2**63) + np.round((v + 8) * 2**52).astype(np.uint64),
    "int64 near the end": lambda v: np.round(v * 2**60).astype(np.int64),
    "nullable Int16": lambda v: pd.Series(np.round(300 * v)).astype("Int16"),
    "nullable Float32": lambda v: pd.Series(v).astype("Float32"),
    "Arrow double": lambda v: pd.Series(v).astype("double[pyarrow]"),
    "Arrow decimal": lambda v: pd.Series([Decimal(f"{x:.3f}") for x in v], dtype=pd.ArrowDtype(pa.decimal128(12, 3))),
    "Arrow text": lambda v: pd.Series([f"{x:.4f}" for x in v]).astype("string[pyarrow]"),
    "category of numbers": lambda v: pd.Series(np.round(v, 0)).astype("category"),
    "intervals": lambda v: pd.cut(pd.Series(v), np.linspace(-6, 6, 25)),
    "durations": lambda v: pd.to_timedelta(np.round(3600 * (v + 6)), unit="s"),
    "durations as texts": lambda v: pd.Series(pd.to_timedelta(np.round(3600 * (v + 6)), unit="s")).astype(str),
    "times as texts": lambda v: [
        f"{int(s) // 3600:02d}:{int(s) // 60 % 60:02d}:{int(s) % 60:02d}" for s in 9000 * (v + 5)
    ],
    "time objects": lambda v: pd.Series([datetime.time(*divmod(int(110 * (x + 6)), 60)) for x in v], dtype=object),
    "big-endian": lambda v: v.astype(">f8"),
    "long double": lambda v: v.astype(np.longdouble),
}
_NO_FILES = ("intervals", "time objects", "long double", "category of numbers", "uint64 above 2^63", "durations")


def _as_dtype(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng)
    key = DTYPES[name](p.key)
    if name == "category of numbers":
        clean = p.clean.assign(key=[f"{x:.0f}" for x in p.key])
    elif name == "intervals":
        clean = p.clean.assign(key=pd.Series(key).astype(str).to_numpy())
    else:
        clean = p.clean
    wide = name in ("durations", "float16", "float32", "big-endian", "int8")
    routes = FRAMES[:1] if name in _NO_FILES else ("csv>csv", *FRAMES) if wide else (*FRAMES, "csv>csv", "csv>parquet")
    return p.case(key, clean=clean, routes=routes)


kind("dtypes", {name: name for name in DTYPES}, _as_dtype)

SCALES = {f"{center:g} and {scale:g} times": (center, scale) for center, scale in (
    *((0.0, 1e-300), (0.0, 1e-30), (0.0, 1e-12), (0.0, 1e12), (0.0, 1e30), (0.0, 1e200), (0.0, 1e307)),
    *((1e6, 1.0), (1.7e9, 10.0), (1e15, 100.0), (-1e12, 1e-1), (1.0, 1e-9), (1e9, 1e-4)),
)}  # fmt: skip


def _scaled(rng: np.random.Generator, how: tuple[float, float]) -> Case:
    center, scale = how
    p = plain(rng)
    return p.case(center + scale * p.key)


kind("scales of columns", SCALES, _scaled)

NAMES: dict[str, tuple[Any, Any, Any]] = {
    "numbers": (0, 1, 2),
    "numbers as texts": ("0", "1", "2"),
    "floats": (0.5, 1.5, np.nan),
    "tuples": (("a", "b"), ("a", "c"), ("d", "")),
    "dates": (pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02"), pd.Timestamp("2020-01-03")),
    "mixed": (0, "one", 2.0),
    "nothing": (None, "a", "b"),
    "other scripts": ("ключ", "größe", "高さ"),
    "emoji": ("🔑", "❤️", "a\u0301"),
    "commas": ("key, the first", "a,b", "a"),
    "quotes": ('say "key"', "it's", "`back`"),
    "line ends": ("key\nsecond line", "x\r\n1", "tab\there"),
    "empty": ("", "b", "c"),
    "blanks": (" key ", "x 1", "x  1"),
    "twins but for blanks": ("key", "key ", "x2"),
    "brackets": ("key[0]<1>", "{x}", "a(b)"),
    "very long": ("k" * 3000, "x" * 3000, "y"),
    "Python's": ("__class__", "self", "None"),
    "of attributes": ("index", "columns", "values"),
    "of an index": ("Unnamed: 0", "level_0", "x2"),
    "formulas": ("=SUM(A1)", "+x", "@y"),
    "paths": ("../key", "a/b", "c\\d"),
    "percent": ("%(key)s", "%s", "{}"),
    "nul": ("key\0", "b", "c"),
    "twice": ("key", "x1", "x1"),
}
_FILES_OF = {"numbers as texts", "other scripts", "emoji", "commas", "quotes", "brackets", "Python's", "of attributes"}


def _named(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng)
    X = pd.DataFrame(p.columns)
    X.columns = pd.Index(NAMES[name]) if name != "mixed" else pd.Index(NAMES[name], dtype=object)
    wrong = {"twice": "x1", "mixed": "string names", "nothing": "string names|name"}.get(name, "")
    routes = (*FRAMES, *FILES) if name in _FILES_OF | {"formulas", "paths", "percent", "very long"} else FRAMES[:1]
    return p.of(X, routes=routes, wrong=wrong)


kind("names of columns", {name: name for name in NAMES}, _named)
