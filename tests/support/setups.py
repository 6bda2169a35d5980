"""Setups of evaluations on synthetic tables, for tests, campaigns and benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plain_space import PlainSpace
from sklearn.base import BaseEstimator

from mpi_automl.data.load import make_task
from mpi_automl.data.prepare import Task
from mpi_automl.data.resampling import make_resampling
from mpi_automl.data.shared import pack, write_packed
from mpi_automl.evaluation.setup import EvaluationSetup, training_rows_first
from mpi_automl.metrics.registry import get_metric
from mpi_automl.settings import Settings
from mpi_automl.space.component import StagedFitting
from mpi_automl.trial import Origin, Trial, TrialKey


def table(n_rows: int = 300, n_columns: int = 5, n_classes: int = 2, seed: int = 0, n_test: int = 0) -> Task:
    """A classification task in which columns say something about the class."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows + n_test, n_columns))
    y = (X[:, 0] + 0.5 * rng.normal(size=len(X)) > 0).astype(int)
    y += (n_classes > 2) * (X[:, 1] > 0.5)
    test = {"X_test": X[n_rows:], "y_test": y[n_rows:]} if n_test else {}
    return make_task(X[:n_rows], y[:n_rows], **test)


def make_setup(
    *learners: BaseEstimator | tuple[BaseEstimator, StagedFitting],
    task: Task | None = None,
    resampling: str = "holdout",
) -> EvaluationSetup:
    """A setup whose space has these learners, by number."""
    task = task or table()
    settings = Settings(resampling=resampling)
    given = tuple(entry if isinstance(entry, tuple) else (entry, None) for entry in learners)
    space = PlainSpace(task.profile, given)
    return EvaluationSetup(
        task, make_resampling(task, settings), space, get_metric("auto", task.type, task.schema.units)
    )


def write_setup(setup: EvaluationSetup, path: Path) -> Path:
    """Lay a setup out as the ranks of a node share it."""
    write_packed(path, *pack(training_rows_first(setup)))
    return path


def trial(number: int, learner: int, seed: int = 1, budget: float = 1.0) -> Trial:
    """The trial of a learner of a plain space."""
    return Trial(TrialKey(0, 0, number), np.array([float(learner)]), seed, Origin.INITIAL, budget)
