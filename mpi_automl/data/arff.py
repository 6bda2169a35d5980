"""ARFF files, dense and sparse (the attribute-relation file format of Weka and OpenML)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mpi_automl.data.compression import read_text
from mpi_automl.data.delimited import MISSING
from mpi_automl.data.table import SparseTable
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

_ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+(.*)""", re.IGNORECASE)
_TOKEN = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)""")
_SPARSE_CELL = re.compile(r"""\s*(\d+)\s+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)""")
_ESCAPE = re.compile(r"\\(.)")
_NUMERIC = ("numeric", "real", "integer")


class Attribute(NamedTuple):
    """A declared column; `values` are those of a nominal one."""

    name: str
    kind: str
    values: tuple[str, ...] = ()


def read_arff(path: Path) -> pd.DataFrame | SparseTable:
    """Read an ARFF file.

    Nominal columns become categories; dates are parsed as ISO dates. Rows in braces make the table sparse:
    its numbers are then the matrix, all other columns are dense ones beside it.

    Raises
    ------
    UserError
        If the header declares no attributes or relational ones, or a row does not fit it.
    """
    text = read_text(path)
    attributes, start = _header(text, path)
    lines = (line.strip() for line in io.StringIO(text[start:]))
    rows = [line for line in lines if line and not line.startswith("%")]
    if rows and rows[0].startswith("{"):
        return _sparse(rows, attributes, path)
    return _typed(_dense(rows, attributes, path), attributes)


def _header(text: str, path: Path) -> tuple[list[Attribute], int]:
    attributes: list[Attribute] = []
    position = 0
    for line in io.StringIO(text):
        position += len(line)
        stripped = line.strip()
        if stripped.lower().startswith("@data"):
            if not attributes:
                break
            return attributes, position
        if match := _ATTRIBUTE.match(stripped):
            attributes.append(_attribute(match[1], match[2].strip(), path))
    raise UserError(f"{path} is not an ARFF file: it lacks @attribute or @data lines.")


def _attribute(name: str, declared: str, path: Path) -> Attribute:
    name = _unquoted(name)
    if declared.startswith("{"):
        return Attribute(name, "nominal", tuple(_tokens(declared.strip().strip("{}"))))
    kind = declared.split()[0].lower() if declared else ""
    if kind in _NUMERIC:
        return Attribute(name, "numeric")
    if kind in ("string", "date"):
        return Attribute(name, kind)
    raise UserError(f"{path}: attribute {name} has the type {declared!r}, which is none of a plain table.")


def _dense(rows: list[str], attributes: list[Attribute], path: Path) -> pd.DataFrame:
    names = [attribute.name for attribute in attributes]
    quotes = {mark for mark in "'\"" if any(mark in row for row in rows)}
    if len(quotes) < 2 and not any("\\" in row for row in rows):
        options = {"quotechar": quotes.pop()} if quotes else {"quoting": csv.QUOTE_NONE}
        width = len(next(csv.reader([rows[0]], **options))) if rows else len(names)
        if width == len(names):
            return pd.read_csv(
                io.StringIO("\n".join(rows)),
                header=None,
                names=range(len(names)),
                index_col=False,
                na_values=list(MISSING),
                keep_default_na=False,
                dtype=str,
                skipinitialspace=True,
                on_bad_lines="error",
                **options,
            ).set_axis(names, axis=1)
    cells = [_row(row, len(names), path) for row in rows]
    return pd.DataFrame(cells, columns=names, dtype=object)


def _row(row: str, width: int, path: Path) -> list[str | None]:
    cells = [None if cell in MISSING else cell for cell in _tokens(row)]
    if len(cells) != width:
        raise UserError(f"{path}: the row {row[:60]!r} has {len(cells)} values, not {width}.")
    return cells


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise UserError(f"Quotes in the ARFF line {text[:60]!r} do not match.")
        position = match.end()
        yield _cell(match[1], match[2], match[3])
    if text.rstrip().endswith(","):
        yield ""


def _cell(single: str | None, double: str | None, bare: str | None) -> str:
    quoted = single if single is not None else double
    return bare.strip() if quoted is None and bare is not None else _ESCAPE.sub(r"\1", quoted or "")


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1]) if text[:1] in ("'", '"') and len(text) > 1 else text


def _typed(cells: pd.DataFrame, attributes: list[Attribute]) -> pd.DataFrame:
    columns = [_column(cells.iloc[:, i], attribute) for i, attribute in enumerate(attributes)]
    return pd.concat(columns, axis=1, keys=[attribute.name for attribute in attributes])


def _column(cells: pd.Series, attribute: Attribute) -> pd.Series:
    if attribute.kind == "numeric":
        numbers = pd.to_numeric(cells, errors="coerce")
        odd = numbers.isna() & cells.notna() & ~cells.astype(str).str.lower().isin(["nan", ""])
        if odd.any():
            raise UserError(f"Attribute {attribute.name} is declared numeric and has {cells[odd].iloc[0]!r}.")
        return numbers
    if attribute.kind == "nominal":
        return cells.astype(object).astype("category")
    return cells.astype(object)


def _sparse(rows: list[str], attributes: list[Attribute], path: Path) -> SparseTable:
    from scipy import sparse

    numeric = [i for i, attribute in enumerate(attributes) if attribute.kind == "numeric"]
    place = {column: i for i, column in enumerate(numeric)}
    # A cell that is not written is zero, and zero is the first value of a nominal attribute.
    other = {
        i: [attribute.values[0] if attribute.values else None] * len(rows)
        for i, attribute in enumerate(attributes)
        if i not in place
    }
    data: list[float] = []
    indices: list[int] = []
    indptr = [0]
    for number, row in enumerate(rows):
        for column, cell in _sparse_cells(row, len(attributes), path):
            if column in place:
                indices.append(place[column])
                data.append(np.nan if cell in MISSING else float(cell))
            else:
                other[column][number] = None if cell in MISSING else cell
        indptr.append(len(data))
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), len(numeric)), dtype=np.float64)
    dense = {attributes[i].name: _column(pd.Series(cells, dtype=object), attributes[i]) for i, cells in other.items()}
    frame = pd.DataFrame(dense, index=range(len(rows)))
    return SparseTable(matrix, tuple(attributes[i].name for i in numeric), frame)


def _sparse_cells(row: str, width: int, path: Path) -> Iterator[tuple[int, str]]:
    if not (row.startswith("{") and row.endswith("}")):
        raise UserError(f"{path}: the row {row[:60]!r} is not in braces like those before it.")
    inner, position = row[1:-1].strip(), 0
    while position < len(inner):
        match = _SPARSE_CELL.match(inner, position)
        if match is None or int(match[1]) >= width:
            raise UserError(f"{path}: the row {row[:60]!r} is not of the form {{column value, ...}}.")
        position = match.end()
        yield int(match[1]), _cell(match[2], match[3], match[4])
