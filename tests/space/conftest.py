"""Small tables of every task and form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse

from mpi_automl.data.task import ColumnKind, Profile, TaskType

ROWS = 90
BORDER = 60
WORDS = np.array(["red", "green", "blue", "big", "small", "the", "of", "and", "tiny", "huge"])


@dataclass(frozen=True)
class Sample:
    """A table with its target and profile; the first 60 rows are for training."""

    X: Any
    y: NDArray[Any]
    profile: Profile

    @property
    def train(self) -> Any:
        return self.X.iloc[:BORDER] if hasattr(self.X, "iloc") else self.X[:BORDER]

    @property
    def rest(self) -> Any:
        return self.X.iloc[BORDER:] if hasattr(self.X, "iloc") else self.X[BORDER:]

    @property
    def y_train(self) -> NDArray[Any]:
        return self.y[:BORDER]


def make_sample(task_type: TaskType, form: str) -> Sample:
    """Form is dense, mixed (categories, missing values), sparse (amounts) or text (mixed, and texts)."""
    rng = np.random.default_rng(7)
    numbers = rng.normal(size=(ROWS, 6))
    y, n_outputs = _target(task_type, numbers)
    kinds, sizes = [ColumnKind.NUMERICAL] * 6, [0] * 6
    X: Any = numbers
    if form in ("mixed", "text"):
        codes = np.column_stack([rng.integers(0, 3, ROWS), rng.integers(0, 12, ROWS)]).astype(float)
        X = np.hstack([numbers[:, :3], codes, numbers[:, 3:]])
        X[rng.random(X.shape) < 0.1] = np.nan
        kinds[3:3], sizes[3:3] = [ColumnKind.CATEGORICAL] * 2, [3, 12]
    if form == "text":
        X = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
        X["first"] = [" ".join(rng.choice(WORDS, 5)) for _ in range(ROWS)]
        X["second"] = [None if i % 7 == 0 else str(rng.choice(WORDS)) for i in range(ROWS)]
        kinds, sizes = [*kinds, ColumnKind.TEXT, ColumnKind.TEXT], [*sizes, 0, 0]
    if form == "sparse":
        X = sparse.csr_matrix(np.where(rng.random(numbers.shape) < 0.5, 0.0, np.abs(numbers)))
    profile = Profile(
        task_type=task_type,
        n_rows=ROWS,
        n_columns=X.shape[1],
        n_outputs=n_outputs,
        kinds=tuple(kinds),
        cardinalities=tuple(sizes),
        has_missing=form in ("mixed", "text"),
        is_sparse=form == "sparse",
        is_nonnegative=form == "sparse",
    )
    return Sample(X, y, profile)


def _target(task_type: TaskType, X: NDArray[Any]) -> tuple[NDArray[Any], int]:
    signal = X[:, 0] + X[:, 1]
    targets: dict[TaskType, tuple[NDArray[Any], int]] = {
        TaskType.BINARY: ((signal > 0).astype(np.int64), 2),
        TaskType.MULTICLASS: (np.digitize(signal, [-0.8, 0.8]).astype(np.int64), 3),
        TaskType.MULTILABEL: ((X[:, :2] + X[:, 2:4] > 0).astype(np.int64), 2),
        TaskType.REGRESSION: (100.0 + 5.0 * signal, 1),
        TaskType.MULTIOUTPUT: (np.column_stack([signal, 1000.0 * X[:, 2]]), 2),
    }
    return targets[task_type]


@pytest.fixture(scope="session")
def sample() -> Callable[[TaskType, str], Sample]:
    """``sample(task_type, form)``: the same table whenever it is asked for."""
    made: dict[tuple[TaskType, str], Sample] = {}

    def get(task_type: TaskType, form: str) -> Sample:
        if (task_type, form) not in made:
            made[task_type, form] = make_sample(task_type, form)
        return made[task_type, form]

    return get
