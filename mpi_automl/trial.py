"""One configuration on its way through the package: proposed, evaluated, stored, shared."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Status(IntEnum):
    """How a trial ended. The numbers are part of the file format: never reuse one."""

    RUNNING = 0
    SUCCESS = 1
    CRASHED = 2
    TIMEOUT = 3
    MEMOUT = 4
    STOPPED = 5
    """Cut off by the end of the job, or lost with a killed leg: says nothing about the configuration."""
    PRUNED = 6
    """Given up after some folds, far behind the incumbent; its cost is the mean of these folds."""


WITH_COST = (Status.SUCCESS, Status.PRUNED)
"""Statuses whose cost the search learns from."""


class Origin(IntEnum):
    """Where a configuration came from. The numbers are part of the file format: never reuse one."""

    DUMMY = 0
    DEFAULT = 1
    INITIAL = 2
    MODEL = 3
    """Maximiser of the acquisition function, found from random candidates or the rank's own trials."""
    RANDOM = 4
    FOREIGN = 5
    """Maximiser of the acquisition function, found by local search from another rank's trial."""
    PROMOTED = 6
    """Evaluated before with a smaller budget, by this rank or another, and found worth a larger one."""


class TrialKey(NamedTuple):
    """Names a trial within a run, for ever: weights and models are keyed by it."""

    leg: int
    rank: int
    number: int

    def __str__(self) -> str:
        return f"{self.leg}-{self.rank}-{self.number}"


def is_full(status: Any, origin: Any, budget: Any, cost: Any) -> Any:
    """Whether a trial is a full one: a success with the full budget and a finite cost, and not the dummy.

    Such trials are comparable: only they are ranked, and only they become incumbents.

    Parameters
    ----------
    status, origin : Status, Origin, or ndarray of int
    budget, cost : float or ndarray of float

    Returns
    -------
    bool or ndarray of bool
    """
    return (status == Status.SUCCESS) & (origin != Origin.DUMMY) & (budget >= 1.0) & (abs(cost) < math.inf)


@dataclass(frozen=True, eq=False)
class Trial:
    """A configuration to be evaluated.

    Attributes
    ----------
    key : TrialKey
        Leg, rank and the rank's own running number (from 0).
    vector : ndarray of float64, shape (n_hyperparameters,)
        The configuration as ConfigSpace encodes it, NaN where a hyperparameter is inactive; all NaN
        for the dummy.
    seed : int
        Seed of everything random in the pipeline.
    origin : Origin
    budget : float
        Share of the full budget, in (0, 1].
    iterations : int
        Of boosting, as its evaluation found them, for a refit; 0 where there are none.
    prune_above : float
        The trial is given up when the mean cost of its folds so far is above this.
    fit_seconds : float
        That its evaluation spent in fitting all folds, for a refit; 0 where that is not known.
    """

    key: TrialKey
    vector: NDArray[np.float64]
    seed: int
    origin: Origin
    budget: float = 1.0
    iterations: int = 0
    prune_above: float = math.inf
    fit_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Result:
    """What the evaluation of a trial gave.

    Attributes
    ----------
    trial : Trial
    status : Status
    cost : float
        To be minimised, ``optimum - score`` for scores; NaN unless the status has one
        (`has_cost`).
    start, end : float
        Seconds since the epoch.
    predictions : ndarray of float32, shape (n_validation_rows, n_outputs), or None
        Out-of-fold predictions in row order: probabilities of the classes or labels, or values.
    test_predictions : ndarray of float32, shape (n_test_rows, n_outputs), or None
    scores : dict of str to float
        Further metrics on the validation rows, as signed scores.
    ask_seconds, fit_seconds, predict_seconds, store_seconds : float
        Wall time of proposing (on the rank), fitting and predicting (in the child), and storing.
    cpu_seconds : float
        CPU time of the child and of the processes it started.
    memory_peak : float
        MiB that the trial added on top of interpreter, libraries and shared data.
    reason : str
        Why a trial failed, or where its fit was stopped, in at most 200 characters.
    iterations : int
        Of early-stopped boosting, the mean over the folds; 0 for other learners.
    """

    trial: Trial
    status: Status
    cost: float
    start: float
    end: float
    predictions: NDArray[np.float32] | None = None
    test_predictions: NDArray[np.float32] | None = None
    scores: dict[str, float] = field(default_factory=dict)
    ask_seconds: float = 0.0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    store_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_peak: float = 0.0
    reason: str = ""
    iterations: int = 0

    @property
    def has_cost(self) -> bool:
        """Whether `cost` is a number the search can learn from as it is."""
        return self.status in WITH_COST


@dataclass(frozen=True, eq=False)
class TrialUpdate:
    """What other ranks need to know of a trial.

    Attributes
    ----------
    key : TrialKey
    status : Status
        `Status.RUNNING` for a configuration under evaluation.
    cost : float
        NaN without one.
    origin : Origin
    budget : float
    seconds : float
        Wall time of the evaluation so far known.
    vector : ndarray of float64, shape (n_hyperparameters,)
    """

    key: TrialKey
    status: Status
    cost: float
    origin: Origin
    budget: float
    seconds: float
    vector: NDArray[np.float64]
