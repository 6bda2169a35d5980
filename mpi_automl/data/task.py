"""Kinds of targets and columns, and the facts about a table that decide which components can handle it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TaskType(str, Enum):
    """Kind of target."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"
    MULTIOUTPUT = "multioutput"

    @property
    def is_classification(self) -> bool:
        """Whether predictions are probabilities of classes or labels."""
        return self in (TaskType.BINARY, TaskType.MULTICLASS, TaskType.MULTILABEL)


class ColumnKind(str, Enum):
    """How a column of the encoded table is to be understood."""

    NUMERICAL = "numerical"
    CATEGORICAL = "categorical"
    """Codes 0, 1, ... as floats, NaN where missing."""
    TEXT = "text"
    """Strings; the encoded table is then a DataFrame."""


@dataclass(frozen=True)
class Profile:
    """The facts about a task that decide which components can handle it.

    Attributes
    ----------
    task_type : TaskType
    n_rows, n_columns : int
        Size of the encoded training table.
    n_outputs : int
        Columns of a prediction: classes (2 for binary), labels or targets.
    kinds : tuple of ColumnKind
        One for each encoded column.
    cardinalities : tuple of int
        Number of known categories for each encoded column, 0 where it is not categorical.
    has_missing : bool
        In the tables at hand; later ones may have missing values where these have none.
    is_sparse : bool
    is_nonnegative : bool
        No encoded value is below zero.
    """

    task_type: TaskType
    n_rows: int
    n_columns: int
    n_outputs: int
    kinds: tuple[ColumnKind, ...]
    cardinalities: tuple[int, ...]
    has_missing: bool
    is_sparse: bool
    is_nonnegative: bool

    @property
    def n_values(self) -> int:
        """Values in the table, times the classes if there are several: what boosting has to look at in an iteration."""
        trees = self.n_outputs if self.task_type is TaskType.MULTICLASS else 1
        return self.n_rows * self.n_columns * trees

    def positions(self, kind: ColumnKind) -> tuple[int, ...]:
        """Positions of the encoded columns of one kind."""
        return tuple(i for i, k in enumerate(self.kinds) if k is kind)


def decide(predictions: NDArray[Any], task_type: TaskType) -> NDArray[Any]:
    """Decide on labels or values from predictions; the one place where this happens.

    Parameters
    ----------
    predictions : ndarray, shape (n_rows, n_outputs)
        Probabilities of the classes or labels, or values.
    task_type : TaskType

    Returns
    -------
    ndarray
        Codes of the most probable classes (int64, shape (n_rows,); the first one where several are
        equally probable), labels with a probability above one half (int64, shape (n_rows, n_outputs)),
        or values (shape (n_rows,) for a single target, else (n_rows, n_outputs)).
    """
    if task_type in (TaskType.BINARY, TaskType.MULTICLASS):
        codes: NDArray[Any] = predictions.argmax(axis=1).astype("int64")
        return codes
    if task_type is TaskType.MULTILABEL:
        return (predictions > 0.5).astype("int64")
    return predictions[:, 0] if task_type is TaskType.REGRESSION else predictions
