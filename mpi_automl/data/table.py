"""Tables as they were read, before anything is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TARGET = "mpi_automl_target"
"""Key of `DataFrame.attrs` under which a reader puts the names of the target columns, if the file tells them."""


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


def is_unnamed(name: str) -> bool:
    """Whether a CSV header cell was empty (pandas then calls the column ``Unnamed: 3``)."""
    return name.startswith("Unnamed: ")
