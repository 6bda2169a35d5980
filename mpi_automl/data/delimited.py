"""Comma- and tab-separated files."""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

import pandas as pd

from mpi_automl.data.compression import NOT_UNICODE, open_binary, split_compression
from mpi_automl.data.table import DECIMAL_COMMA, unique_names
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

MISSING = ("?",)
"""Counts as missing in addition to what pandas takes for it: an empty cell, NA, N/A, NaN, NULL, None, ..."""

_DELIMITERS = ",;\t|"
_SNIFFED_BYTES = 1 << 16
_SNIFFED_LINES = 20
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMA = re.compile(r"(^|;)\s*-?\d+,\d+\s*(;|$)")
_DECIMAL_POINT = re.compile(r"(^|;)\s*-?\d+\.\d+\s*(;|$)")


def read_delimited(path: Path, texts: Collection[str] = ()) -> pd.DataFrame:
    """Read a CSV or TSV file with a header line.

    The delimiter (comma, semicolon, tab or bar) is told from the first lines; files with semicolons may
    have decimal commas. Cells are missing where they are empty, `?`, or what pandas takes for missing.
    Columns in `texts` keep their cells as they are written.

    Raises
    ------
    UserError
        If the file is empty, or its header names a column twice.
    """
    with open_binary(path) as file:
        start = file.read(_SNIFFED_BYTES)
    encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    lines = [_QUOTED.sub("", line) for line in start.decode(encoding, "replace").splitlines()[:_SNIFFED_LINES]]
    if not any(line.strip() for line in lines):
        raise UserError(f"{path} is empty.")
    delimiter = "\t" if split_compression(path.name)[0].lower().endswith(".tsv") else _delimiter(lines)
    decimal_comma = delimiter == ";" and _matches(_DECIMAL_COMMA, lines) and not _matches(_DECIMAL_POINT, lines)
    decimal = "," if decimal_comma else "."
    frame = _decoded(path, delimiter, decimal, (encoding, *NOT_UNICODE), texts)
    frame = frame.set_axis(unique_names([str(name).strip() for name in frame.columns]), axis=1)
    frame.attrs[DECIMAL_COMMA] = delimiter == ";" and not _matches(_DECIMAL_POINT, lines)
    return frame


def _decoded(
    path: Path, delimiter: str, decimal: str, encodings: Sequence[str], texts: Collection[str]
) -> pd.DataFrame:
    """The table by the first encoding that can read it; the last one can read anything."""
    for encoding in encodings[:-1]:
        with suppress(UnicodeDecodeError):
            return _parsed(path, delimiter, decimal, encoding, texts)
    return _parsed(path, delimiter, decimal, encodings[-1], texts)


def _header(path: Path, delimiter: str, encoding: str) -> list[str]:
    """Names as the file has them: pandas would make the second ``y`` a ``y.1``."""
    with open_binary(path) as file:
        cells = pd.read_csv(
            file,
            sep=delimiter,
            encoding=encoding,
            header=None,
            nrows=1,
            dtype=str,
            skipinitialspace=True,
            keep_default_na=False,
        )
    names = [str(name) for name in cells.iloc[0]]
    unique_names([name.strip() for name in names if name.strip()])
    return names


def _parsed(path: Path, delimiter: str, decimal: str, encoding: str, texts: Collection[str]) -> pd.DataFrame:
    strings = {name: str for name in _header(path, delimiter, encoding) if name.strip() in texts}
    with open_binary(path) as file, warnings.catch_warnings():
        # Otherwise cells beyond the header's would be lost with a warning only.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(
                file,
                sep=delimiter,
                decimal=decimal,
                encoding=encoding,
                na_values=list(MISSING),
                skipinitialspace=True,
                low_memory=False,
                index_col=False,
                dtype=strings or None,
            )
        except pd.errors.ParserWarning:
            raise UserError(
                f"{path} cannot be read: rows have more cells than the first line, which must name the columns."
            ) from None


def _matches(pattern: re.Pattern[str], lines: list[str]) -> bool:
    return any(pattern.search(line) for line in lines[1:])


def _delimiter(lines: list[str]) -> str:
    """The one that cuts the header into most columns, if the second line agrees for any of them."""
    header, *rest = [line for line in lines if line.strip()]
    counts = {mark: header.count(mark) for mark in _DELIMITERS}
    agreeing = {mark: count for mark, count in counts.items() if count and rest and rest[0].count(mark) == count}
    best = agreeing or counts
    return max(best, key=lambda mark: best[mark])
