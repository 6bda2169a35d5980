"""Tables as they were read, before anything is known about them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TARGET = "mpi_automl_target"
"""Key of `DataFrame.attrs` under which a reader puts the names of the target columns, if the file tells them."""
DECIMAL_COMMA = "mpi_automl_decimal_comma"
"""Key of `DataFrame.attrs` under which a reader says that numbers of the file rather have decimal commas."""


@dataclass(frozen=True, eq=False)
class SparseTable:
    """A table most of whose cells are zero.

    Attributes
    ----------
    matrix : CSR matrix of float64, shape (n_rows, n_columns)
    columns : tuple of str
        Names of the matrix's columns.
    dense : DataFrame
        Further columns with the same rows, such as labels.
    target : tuple of str
        Columns that the file itself says are the target; empty if it does not.
    generated : bool
        The names are numbered by the reader (f0, f1, ...): a table with more or fewer columns is then
        still of the same kind, as svmlight files end at their last column that is not zero.
    """

    matrix: Any
    columns: tuple[str, ...]
    dense: pd.DataFrame
    target: tuple[str, ...] = field(default=())
    generated: bool = False

    def __len__(self) -> int:
        return int(self.matrix.shape[0])


def numbered(prefix: str, count: int) -> tuple[str, ...]:
    """Names for columns that have none: f0, f1, ..."""
    return tuple(f"{prefix}{i}" for i in range(count))


def unique_names(names: Sequence[Any]) -> tuple[str, ...]:
    """Column names as strings.

    Raises
    ------
    UserError
        If two columns have the same name.
    """
    texts = tuple(str(name) for name in names)
    if len(set(texts)) < len(texts):
        twice = next(name for name in texts if texts.count(name) > 1)
        raise UserError(f"The table has more than one column {twice!r}; rename them so that every name is there once.")
    return texts


def unknown_column(name: str, known: Sequence[str], option: str) -> UserError:
    """The error for a column that is not there."""
    near = get_close_matches(name, known, n=1)
    if near:
        return UserError(f"{option}: the table has no column {name!r}; did you mean {near[0]!r}?")
    return UserError(f"{option}: the table has no column {name!r}; its columns are {listed(known)}.")


def listed(names: Sequence[Any], most: int = 10) -> str:
    """Names for a sentence, the first few of them."""
    texts = [str(name) for name in names[:most]]
    rest = len(names) - most
    return ", ".join(texts) + (f" and {rest} more" if rest > 0 else "")


def resolved_names(given: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """Names of columns as the table has them, from names that were split at commas.

    Names that the table does not have are put together again, the longest first, where that makes a column:
    ``response, heart`` may be one column. Blanks around names and commas do not matter.
    """
    known = set(columns)
    plain: dict[str, str] = {}
    for column in columns:
        plain.setdefault(_without_blanks(column), column)
    found, rest = [], list(given)
    while rest:
        size = 1
        if rest[0] not in known:
            joined = (n for n in range(len(rest), 0, -1) if _without_blanks(",".join(rest[:n])) in plain)
            size = next(joined, 1)
        name = ",".join(rest[:size])
        found.append(name if name in known else plain.get(_without_blanks(name), name))
        del rest[:size]
    return tuple(found)


def _without_blanks(name: str) -> str:
    return ",".join(part.strip() for part in name.split(","))


def option_value(name: str) -> str:
    """A column's name as the command line takes it: in the quotes that commas, blanks and the shell ask for."""
    quoted = '"' + name.replace('"', '""') + '"'
    return shlex.quote(quoted if name != name.strip() or any(mark in name for mark in ',"') else name)


def is_unnamed(name: str) -> bool:
    """Whether a CSV header cell was empty (pandas then calls the column ``Unnamed: 3``)."""
    return name.startswith("Unnamed: ")
