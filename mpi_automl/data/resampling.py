"""Which rows a configuration is fitted on and which it is validated on: one choice for the whole job."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.data.splitter import build_splitter
from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.prepare import Task
    from mpi_automl.settings import Settings

    Rows = NDArray[np.int64]

SMALL_TABLE = 2_500
"""Below this many rows `auto` cross-validates, whatever the time."""
VALUES_PER_SECOND = 1_000
"""`auto` cross-validates where a trial has a second for so many values of the table, times classes if several.

With less time the holdout's many more trials win (docs/performance/evaluation.md).
"""
HOLDOUT_SHARE, LEAST_SHARE, ENOUGH_ROWS = 0.33, 0.1, 30_000
"""A holdout validates on a third of the rows; of a large table on as many as tell pipelines apart, at least a tenth."""
SMALL_CLASS = 100
"""`auto` also cross-validates when the rarest class has fewer rows than this ..."""
LARGE_TABLE = 10_000
"""... unless the table has at least this many rows."""

_SPLIT_STREAM = 0x5B117
_VALIDATION_TABLE = "validation table"


@dataclass(frozen=True, eq=False)
class Fold:
    """Positions of the rows to fit on and of those to predict, each sorted and without repetition.

    Attributes
    ----------
    train, validation : ndarray of int64
    """

    train: Rows
    validation: Rows


@dataclass(frozen=True, eq=False)
class Resampling:
    """The folds on which every configuration of the job is evaluated.

    Attributes
    ----------
    name : str
        ``holdout``, ``cv``, ``repeated-cv``, ``group``, ``time-series``, ``validation table``, or the
        splitter's path.
    folds : tuple of Fold
        In the order in which they are to be evaluated. A row may be validated in several folds
        (repeated cross-validation, overlapping splitters): its predictions are then averaged.
    validation_rows : ndarray of int64
        All rows that are validated in any fold, sorted, each once. Predictions are kept in this order.
    """

    name: str
    folds: tuple[Fold, ...]
    validation_rows: Rows

    @property
    def folds_are_alike(self) -> bool:
        """Each fold's model learns from as many rows, so that the cost of one fold tells about the others."""
        return self.name in ("cv", "repeated-cv", "group")

    @property
    def leaves_rows_unlearned(self) -> bool:
        """No fold's model has learned from some rows: those held out once, or the last of a time series.

        Rows of a validation table do not count: whoever gives one has said what is to be learned from.
        """
        return self.name != _VALIDATION_TABLE and (len(self.folds) == 1 or self.name == "time-series")


def make_resampling(task: Task, settings: Settings) -> Resampling:
    """Choose the folds, from the task and `settings.seed` alone, so that all ranks agree.

    Holdout and cross-validation are stratified by class. A class with a single row is always in the
    training part; one with two or more rows is never missing from it. Where rows have groups, those of
    one group are never on both sides. What `auto` chooses: see `automatic`.

    Raises
    ------
    UserError
        If the table is too small for the split, groups are needed and not given, or the splitter
        cannot be built.
    """
    if task.fixed_validation is not None:
        return _resampling(_VALIDATION_TABLE, [task.fixed_validation], len(task.y))
    name = settings.resampling if settings.resampling != "auto" else automatic(task, settings.trial_seconds)
    if task.groups is not None and name in ("cv", "repeated-cv"):
        name = "group"
    if name == "group" and task.groups is None:
        raise UserError("--resampling group needs --groups COLUMN, the column whose equal values stay together.")
    rng = np.random.default_rng([settings.seed, _SPLIT_STREAM])
    if name == "holdout":
        share = settings.holdout_share or automatic_share(len(task.y))
        return _resampling(name, [_holdout(task, share, rng)], len(task.y))
    if name in ("cv", "repeated-cv"):
        repeats = settings.repeats if name == "repeated-cv" else 1
        parts = [part for _ in range(repeats) for part in _deal(task, settings.folds, rng)]
        return _resampling(name, parts, len(task.y))
    if name == "group":
        return _resampling(name, _deal_groups(task, settings.folds, rng), len(task.y))
    if name == "time-series":
        return _time_series(task, settings.folds)
    return _by_splitter(task, name, settings.seed)


def automatic(task: Task, trial_seconds: float) -> str:
    """What `auto` stands for.

    ``group`` where rows have groups. Otherwise cross-validation (``cv``): its estimate is less noisy, and the models of
    its folds make a better member than one model. For tables of 2,500 rows and more that is if a trial has the time,
    or if the rarest class has fewer than 100 of fewer than 10,000 rows; else ``holdout``, which is a fifth of the work.

    Parameters
    ----------
    task : Task
    trial_seconds : float
        Time limit of a trial.
    """
    if task.groups is not None:
        return "group"
    n_rows = len(task.y)
    if n_rows < SMALL_TABLE or task.profile.n_values <= VALUES_PER_SECOND * trial_seconds:
        return "cv"
    if n_rows < LARGE_TABLE and task.type in (TaskType.BINARY, TaskType.MULTICLASS):
        return "cv" if np.bincount(task.y)[np.unique(task.y)].min() < SMALL_CLASS else "holdout"
    return "holdout"


def automatic_share(n_rows: int) -> float:
    """Share of the rows that a holdout validates on, unless --holdout-share says otherwise."""
    return min(HOLDOUT_SHARE, max(LEAST_SHARE, ENOUGH_ROWS / n_rows))


def _resampling(name: str, parts: list[Rows], n_rows: int) -> Resampling:
    """Folds of given validation parts, each trained on all other rows."""
    everything = np.arange(n_rows, dtype=np.int64)
    pairs = [(np.setdiff1d(everything, part, assume_unique=True), part) for part in parts if len(part)]
    return _from_pairs(name, pairs, n_rows)


def _from_pairs(name: str, pairs: list[tuple[Rows, Rows]], n_rows: int) -> Resampling:
    folds = tuple(Fold(np.unique(train), np.unique(validation)) for train, validation in pairs if len(validation))
    if not folds or any(len(fold.train) == 0 for fold in folds):
        raise UserError(f"A table of {n_rows} rows is too small for {name}: no rows are left to validate or to fit on.")
    validated = np.unique(np.concatenate([fold.validation for fold in folds]))
    return Resampling(name, folds, validated)


def _strata(task: Task) -> Rows:
    """A number for each row: rows of equal numbers are spread evenly over the parts of a split."""
    if task.type in (TaskType.BINARY, TaskType.MULTICLASS):
        return task.y.astype(np.int64)
    if task.type is TaskType.MULTILABEL:
        return np.unique(task.y, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return np.zeros(len(task.y), dtype=np.int64)


def _bound_to_training(task: Task) -> NDArray[np.bool_]:
    """Rows that are the only ones of their class, or the only ones with (or without) some label."""
    if not task.type.is_classification:
        return np.zeros(len(task.y), dtype=bool)
    labels = task.y.reshape(len(task.y), -1)
    bound = np.zeros(len(task.y), dtype=bool)
    for column in labels.T:
        codes, counts = np.unique(column, return_counts=True)
        bound |= np.isin(column, codes[counts == 1])
    return bound


def _shuffled_by_stratum(task: Task, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Free rows in random order, those of one stratum side by side, and their strata."""
    rows = rng.permutation(np.flatnonzero(~_bound_to_training(task)))
    strata = _strata(task)[rows]
    order = np.argsort(strata, kind="stable")
    return rows[order], strata[order]


def _holdout(task: Task, share: float, rng: np.random.Generator) -> Rows:
    """Validation rows: a systematic sample of the rows ordered by class, which is proportional in each."""
    if task.groups is not None:
        return _holdout_groups(task.groups, share, rng)
    rows, strata = _shuffled_by_stratum(task, rng)
    if not len(rows):
        return rows
    count = min(max(round(share * len(task.y)), 1), max(len(rows) - 1, 1))
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[((np.arange(count) + rng.random()) * len(rows) / count).astype(np.int64)] = True
    if task.type is not TaskType.MULTILABEL and task.type.is_classification:
        starts = np.flatnonzero(np.r_[True, strata[1:] != strata[:-1]])
        whole = np.logical_and.reduceat(chosen, starts)
        chosen[starts[whole]] = False
    return np.sort(rows[chosen])


def _holdout_groups(groups: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Rows of random groups, as many groups as come nearest to the share."""
    order = rng.permutation(np.unique(groups))
    filled = np.cumsum(np.bincount(groups)[order])
    count = int(np.argmin(np.abs(filled - share * len(groups)))) + 1
    return np.flatnonzero(np.isin(groups, order[: min(count, len(order) - 1)]))


def _deal(task: Task, folds: int, rng: np.random.Generator) -> list[Rows]:
    """Validation parts of a stratified cross-validation: rows ordered by class are dealt out like cards."""
    rows, _ = _shuffled_by_stratum(task, rng)
    return [np.sort(rows[start::folds]) for start in range(min(folds, len(rows)))]


def _deal_groups(task: Task, folds: int, rng: np.random.Generator) -> list[Rows]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    assert task.groups is not None
    n_groups = len(np.unique(task.groups))
    if n_groups < 2:
        raise UserError("All rows are of one group: a split that keeps groups together needs at least two.")
    n_splits = min(folds, n_groups)
    rows = np.zeros((len(task.y), 1))
    seed = int(rng.integers(2**31))
    if task.type in (TaskType.BINARY, TaskType.MULTICLASS) and np.bincount(task.y).max() >= n_splits:
        splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return [part for _, part in splitter.split(rows, task.y, task.groups)]
    shuffled = rng.permutation(n_groups)[np.unique(task.groups, return_inverse=True)[1]]
    return [part for _, part in GroupKFold(n_splits).split(rows, groups=shuffled)]


def _time_series(task: Task, folds: int) -> Resampling:
    from sklearn.model_selection import TimeSeriesSplit

    if task.groups is not None:
        raise UserError("--resampling time-series cannot keep groups together: leave --groups out.")
    n_rows = len(task.y)
    if n_rows < 2:
        raise UserError(f"A table of {n_rows} rows is too small for time-series.")
    pairs = list(TimeSeriesSplit(min(folds, n_rows - 1)).split(np.zeros((n_rows, 1))))
    return _from_pairs("time-series", pairs, n_rows)


def _by_splitter(task: Task, path: str, seed: int) -> Resampling:
    splitter = build_splitter(path, seed)
    try:
        pairs = list(splitter.split(np.zeros((len(task.y), 1)), task.y, task.groups))
        return _from_pairs(path, [_positions(pair, len(task.y)) for pair in pairs], len(task.y))
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"The splitter {path} cannot split this table: {error}") from error


def _positions(pair: Any, n_rows: int) -> tuple[Rows, Rows]:
    train, validation = (np.asarray(side) for side in pair)
    for side in (train, validation):
        if side.size and (side.dtype.kind not in "iu" or side.min() < 0 or side.max() >= n_rows):
            raise ValueError("it must give positions of rows")
    if np.intersect1d(train, validation).size:
        raise ValueError("it gives rows that are both fitted on and validated")
    return train.astype(np.int64), validation.astype(np.int64)
