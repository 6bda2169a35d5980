"""What other ranks are told of a trial of this one."""

from __future__ import annotations

import math

from mpi_automl.job.early_stopping import threshold_of
from mpi_automl.trial import Result, Status, Trial, TrialUpdate


def update_of_start(trial: Trial) -> TrialUpdate:
    """That a trial has been handed out."""
    return TrialUpdate(trial.key, Status.RUNNING, math.nan, trial.origin, trial.budget, 0.0, trial.vector)


def update_of_result(result: Result, rule: str) -> TrialUpdate:
    """What a trial came to.

    Parameters
    ----------
    result : Result
    rule : str
        When cross-validation ends early (`mpi_automl.job.early_stopping.threshold_of`).
    """
    trial, seconds = result.trial, result.end - result.start
    cost = result.cost if result.has_cost else math.nan
    threshold = threshold_of(rule, result.fold_costs)
    return TrialUpdate(trial.key, result.status, cost, trial.origin, trial.budget, seconds, trial.vector, threshold)
