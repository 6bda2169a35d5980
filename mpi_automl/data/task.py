"""What is to be learned: the encoded table and everything needed to encode the next one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mpi_automl.data.schema import Schema


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

    def positions(self, kind: ColumnKind) -> tuple[int, ...]:
        """Positions of the encoded columns of one kind."""
        return tuple(i for i, k in enumerate(self.kinds) if k is kind)


@dataclass(frozen=True, eq=False)
class Task:
    """A table ready for learning.

    Attributes
    ----------
    name : str
    type : TaskType
    X : ndarray of float64, CSR matrix, or DataFrame, shape (n_rows, n_columns)
        Encoded features (see `ColumnKind`); a DataFrame only where there are text columns.
    y : ndarray
        Class codes (int64, shape (n_rows,)), values (float64, shape (n_rows,)), or one column per
        label (int64) or target (float64).
    X_test, y_test : as `X` and `y`, or None
        `y_test` may be None although `X_test` is there.
    profile : Profile
    schema : Schema
        Encodes further tables in the same way and decodes predictions.
    digest : str
        Hash of the encoded table, hexadecimal: equal tables have equal ones on every machine.
    groups : ndarray of int64, shape (n_rows,), or None
        Rows of one group stay together in every split.
    fixed_validation : ndarray of int64, or None
        Rows that came from a validation table: every trial is validated on these.
    notes : tuple of str
        What a person should know about how the table was read: columns left out, doubts.
    """

    name: str
    type: TaskType
    X: Any
    y: NDArray[Any]
    profile: Profile
    schema: Schema
    digest: str
    X_test: Any = None
    y_test: NDArray[Any] | None = None
    groups: NDArray[np.int64] | None = None
    fixed_validation: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


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
