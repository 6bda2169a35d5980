"""Candidates' predictions for tests, better and worse ones, for every task type."""

from __future__ import annotations

import numpy as np

from mpi_automl.data.task import TaskType

N_OUTPUTS = {"binary": 2, "multiclass": 4, "multilabel": 3, "regression": 1, "multioutput": 2}

FAST = {
    TaskType.BINARY: ["accuracy", "balanced_accuracy", "log_loss", "brier_score", "roc_auc", "f1", "f1_macro"],
    TaskType.MULTICLASS: ["accuracy", "balanced_accuracy", "log_loss", "brier_score", "roc_auc", "f1_macro"],
    TaskType.MULTILABEL: ["f1_macro", "f1_micro", "brier_score"],
    TaskType.REGRESSION: ["root_mean_squared_error", "mean_absolute_error", "r2", "mean_squared_error"],
    TaskType.MULTIOUTPUT: ["root_mean_squared_error", "mean_absolute_error", "r2", "mean_squared_error"],
}
"""Common metrics, which have a fast scorer."""
EVERY_FAST = [(task_type, name) for task_type, names in FAST.items() for name in names]


def candidates(task_type: TaskType, n_candidates: int = 11, n_rows: int = 240, seed: int = 0):
    """Truth and float32 predictions, shape (n_candidates, n_rows, n_outputs)."""
    rng = np.random.default_rng(seed)
    k = N_OUTPUTS[task_type.value]
    shape = (n_candidates, n_rows, k)
    skill = rng.random((n_candidates, 1, 1))
    if task_type is TaskType.MULTILABEL:
        y = rng.integers(0, 2, (n_rows, k))
        return y, (rng.random(shape) * (1 - 0.4 * skill) + 0.4 * skill * y).astype(np.float32)
    if task_type.is_classification:
        y = rng.integers(0, k, n_rows)
        predictions = rng.dirichlet(np.ones(k), shape[:2]) + 0.4 * skill * np.eye(k)[y]
        return y, (predictions / predictions.sum(axis=2, keepdims=True)).astype(np.float32)
    y = rng.random((n_rows, k)) + 0.5
    predictions = (y * np.exp(0.3 * rng.normal(size=shape) * (1.2 - skill))).astype(np.float32)
    return (y[:, 0] if k == 1 else y), predictions


def hard_votes(task_type: TaskType, n_candidates: int = 9, n_rows: int = 200, seed: int = 0):
    """Truth and predictions of 0 and 1 only, whose means tie all the time."""
    y, predictions = candidates(task_type, n_candidates, n_rows, seed)
    if task_type is TaskType.MULTILABEL:
        return y, (predictions > 0.5).astype(np.float32)
    return y, np.eye(predictions.shape[2], dtype=np.float32)[predictions.argmax(axis=2)]
