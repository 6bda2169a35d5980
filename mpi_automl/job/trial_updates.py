"""What other ranks receive of a trial of this one."""

from __future__ import annotations

import math

from mpi_automl.trial import Result, Status, Trial, TrialUpdate


def update_of_start(trial: Trial) -> TrialUpdate:
    """That a trial has been handed out."""
    return TrialUpdate(trial.key, Status.RUNNING, math.nan, trial.origin, trial.budget, 0.0, trial.vector)


def update_of_result(result: Result) -> TrialUpdate:
    """What a trial came to."""
    trial, seconds = result.trial, result.end - result.start
    cost = result.cost if result.has_cost else math.nan
    return TrialUpdate(trial.key, result.status, cost, trial.origin, trial.budget, seconds, trial.vector)
