"""Random folds of the validation rows, for checks on rows that were not selected or fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType


def fold_numbers(y: NDArray[Any], task_type: TaskType, n_folds: int, seed: int | Sequence[int]) -> NDArray[np.int64]:
    """Deal rows to folds at random, the rows of each class evenly.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Number of the fold of each row.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    if task_type in (TaskType.BINARY, TaskType.MULTICLASS):
        order = order[np.argsort(y[order], kind="stable")]
    numbers = np.empty(len(y), dtype=np.int64)
    numbers[order] = np.arange(len(y)) % n_folds
    return numbers
