"""The tables of a repository: at most so many rows, a quarter held out, the rest cross-validated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from mpi_automl.data.task import TaskType
    from mpi_automl.evaluation.setup import EvaluationSetup

SEED = 0
FOLDS = 5
HELD_OUT = 0.25
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "root_mean_squared_error"}
FURTHER = {
    "binary": ("log_loss", "balanced_accuracy", "accuracy"),
    "multiclass": ("roc_auc", "balanced_accuracy", "accuracy"),
    "regression": ("mean_absolute_error", "r2"),
}


@dataclass(frozen=True)
class TableEntry:
    """A table of a folder's ``index.json``.

    Attributes
    ----------
    name, target : str
    path : Path
    task : {"classification", "regression"}
    categorical : tuple of str
        Columns that are categories.
    """

    name: str
    path: Path
    target: str
    task: str
    categorical: tuple[str, ...]

    @property
    def step(self) -> str:
        """The step of its learners."""
        return "classifier" if self.task == "classification" else "regressor"


def read_index(directory: Path, only: list[str] | None = None) -> list[TableEntry]:
    """The tables of a folder, in the order of their index."""
    index = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    return [
        TableEntry(e["name"], directory / e["file"], e["target"], e["task"], tuple(e.get("categorical", ())))
        for e in index
        if only is None or e["name"] in only
    ]


def make_setup(entry: TableEntry, rows: int) -> EvaluationSetup:
    """How trials on a table are evaluated: random rows of a larger one, the same split for every repository."""
    from sklearn.model_selection import train_test_split

    from mpi_automl.data.load import make_task
    from mpi_automl.data.resampling import make_resampling
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.metrics.registry import get_metric
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import build_space

    frame = pd.read_csv(entry.path, dtype=dict.fromkeys(entry.categorical, str))
    classes = entry.task == "classification"
    if len(frame) > rows:
        labels = frame[entry.target] if classes else None
        frame, _ = train_test_split(frame, train_size=rows, random_state=SEED, stratify=labels)
    target = frame.pop(entry.target)
    if classes:
        target = target.astype(str)
    X, X_test, y, y_test = train_test_split(
        frame, target, test_size=HELD_OUT, random_state=SEED, stratify=target if classes else None
    )
    kind = "regression" if not classes else "binary" if target.nunique() == 2 else "multiclass"
    settings = Settings(task=kind, categorical=entry.categorical, resampling="cv", folds=FOLDS, seed=SEED)
    task = make_task(X, y, X_test=X_test, y_test=y_test, settings=settings, name=entry.name)
    further = tuple(get_metric(name, task.type) for name in FURTHER[kind])
    metric = get_metric(METRICS[kind], task.type)
    return EvaluationSetup(task, make_resampling(task, settings), build_space(task.profile), metric, further)


@dataclass(frozen=True, eq=False)
class Truth:
    """What the predictions of a table are compared with.

    Attributes
    ----------
    task_type : str
        A value of `TaskType`.
    metric : str
    y, y_test : ndarray, shape (n_rows,), (n_held_out,)
        Class codes, or values.
    folds : ndarray of int8, shape (n_rows,)
        Number of the fold that validates a row.
    centre, scale : float
        Predictions of values are kept as multiples of `scale` from `centre`; 0 and 1 for probabilities.
    """

    task_type: str
    metric: str
    y: np.ndarray
    y_test: np.ndarray
    folds: np.ndarray
    centre: float = 0.0
    scale: float = 1.0

    @property
    def type(self) -> TaskType:
        """The kind of task."""
        from mpi_automl.data.task import TaskType

        return TaskType(self.task_type)

    @property
    def cost_metric(self) -> Any:
        """The metric of the costs."""
        from mpi_automl.metrics.registry import get_metric

        return get_metric(self.metric, self.type)

    def encode(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions as they are kept: half precision, but single precision for values."""
        if self.type.is_classification:
            return predictions.astype(np.float16)
        return ((predictions - self.centre) / self.scale).astype(np.float32)

    def decode(self, kept: np.ndarray) -> np.ndarray:
        """Predictions of shape (..., n_outputs), single precision."""
        values = kept.astype(np.float32)
        if not self.type.is_classification:
            return (self.centre + self.scale * values).astype(np.float32)
        # The rest to 1 is more precise than a half-precision number close to 1.
        largest = values.argmax(axis=-1)[..., None]
        rest = values.sum(axis=-1, keepdims=True) - np.take_along_axis(values, largest, axis=-1)
        np.put_along_axis(values, largest, 1.0 - rest, axis=-1)
        return values


def truth_of(setup: EvaluationSetup) -> Truth:
    """The truth of a table, from its setup."""
    task, resampling = setup.task, setup.resampling
    folds = np.empty(len(task.y), dtype=np.int8)
    for number, fold in enumerate(resampling.folds):
        folds[fold.validation] = number
    facts = (task.type.value, setup.metric.name, task.y, task.y_test, folds)
    if task.type.is_classification:
        return Truth(*facts)
    return Truth(*facts, centre=float(task.y.mean()), scale=float(task.y.std()) or 1.0)
