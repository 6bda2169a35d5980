"""Everything that is the same for all trials of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.prepare import Task
    from mpi_automl.data.resampling import Fold, Resampling
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import SearchSpace


@dataclass(frozen=True, eq=False)
class EvaluationSetup:
    """What every trial of a run has in common; packed once per node and mapped read-only.

    Attributes
    ----------
    task : Task
    resampling : Resampling
        One for the whole run, so that the predictions of all trials line up.
    space : SearchSpace
    metric : Metric
        Gives the cost.
    extra_metrics : tuple of Metric
        Reported as scores on the validation rows.
    threads : int
        Threads of one evaluation.
    staged_fitting : bool
        Learners that can be fitted in stages are.
    fidelity : {"none", "rows", "iterations"}
        What trials with a smaller budget save.
    stop_at_deadline : bool
        Staged fitting stops in time, and the trial counts with the size that the learner has reached; otherwise
        it continues to the full size, and a trial whose time runs out is a timeout.
    """

    task: Task
    resampling: Resampling
    space: SearchSpace
    metric: Metric
    extra_metrics: tuple[Metric, ...] = ()
    threads: int = 1
    staged_fitting: bool = True
    fidelity: str = "none"
    stop_at_deadline: bool = True


def make_setup(task: Task, settings: Settings, threads: int) -> EvaluationSetup:
    """How the trials of a run are evaluated: its metric, resampling and search space.

    Parameters
    ----------
    task : Task
    settings : Settings
        Components of ``plugins`` must be registered.
    threads : int
        Threads of one evaluation.

    Raises
    ------
    UserError
        If a metric, the resampling or a component named in the settings does not fit the task.
    """
    from mpi_automl.data.resampling import make_resampling
    from mpi_automl.metrics.registry import get_metric
    from mpi_automl.metrics.target_check import check_target
    from mpi_automl.space.space import build_space

    units = task.schema.units
    metric = get_metric(settings.metric, task.type, units)
    extra_metrics = tuple(get_metric(name, task.type, units) for name in settings.extra_metrics)
    for wanted in (metric, *extra_metrics):
        check_target(wanted, task.y, task.schema.target_names)
        if task.y_test is not None:
            check_target(wanted, task.y_test, task.schema.target_names, "of the test table ")
    return EvaluationSetup(
        task,
        make_resampling(task, settings),
        build_space(task.profile, include=settings.include, exclude=settings.exclude, seed=settings.seed),
        metric,
        extra_metrics,
        threads,
        settings.staged_fitting,
        settings.fidelity,
        stop_at_deadline=not settings.deterministic,
    )


def training_rows_first(setup: EvaluationSetup) -> EvaluationSetup:
    """Reorder the table so that the training rows of a single fold lie together.

    Every trial then trains on a view of the node's copy instead of copying the rows. The order among
    training rows and among validation rows stays, so predictions come in the same order as before.
    Resamplings with several folds are given back as they are.
    """
    if len(setup.resampling.folds) != 1:
        return setup
    fold = setup.resampling.folds[0]
    n_rows = setup.task.profile.n_rows
    train, validation = np.sort(fold.train), np.sort(fold.validation)
    rest = np.setdiff1d(np.arange(n_rows), np.concatenate([train, validation]))
    order = np.concatenate([train, validation, rest])
    borders = len(train), len(train) + len(validation)
    task = replace(
        setup.task,
        X=take_rows(setup.task.X, order),
        y=setup.task.y[order],
        groups=None if setup.task.groups is None else setup.task.groups[order],
        fixed_validation=None,
    )
    rows = np.arange(borders[0]), np.arange(*borders)
    moved: Fold = replace(fold, train=rows[0], validation=rows[1])
    resampling = replace(setup.resampling, folds=(moved,), validation_rows=rows[1])
    return replace(setup, task=task, resampling=resampling)


def without_tables(setup: EvaluationSetup) -> EvaluationSetup:
    """All but the features, for when the node's copy of them is enough."""
    return replace(setup, task=replace(setup.task, X=None, X_test=None))


def take_rows(table: Any, rows: NDArray[np.int64]) -> Any:
    """Rows of an array, a CSR matrix or a DataFrame; a view of an array where the rows follow one another."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and (len(rows) == 1 or (np.diff(rows) == 1).all()):
        span = slice(int(rows[0]), int(rows[-1]) + 1)
        return table.iloc[span] if hasattr(table, "iloc") else table[span]
    return table.iloc[rows] if hasattr(table, "iloc") else table[rows]


def writable(table: Any) -> Any:
    """A copy of an array, a CSR matrix or a DataFrame that a learner may write to."""
    return table.copy()
