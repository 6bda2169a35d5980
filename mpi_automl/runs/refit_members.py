"""Fitted models for all members of the ensemble: kept from the search, or fitted anew on all rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.job.plan import MORE_TIME
from mpi_automl.trial import Status, Trial, TrialKey

if TYPE_CHECKING:
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.job.plan import TrialLimits
    from mpi_automl.parallel.world import World

_POLL = 0.05
_LEAVING = 1.0


def refit_path(models: Path, key: TrialKey) -> Path:
    """File of a trial's model that was fitted on all rows."""
    return models / f"{key}.refit.skops"


def refit(
    trials: Sequence[Trial],
    models: Path,
    world: World,
    evaluator: Evaluator,
    limits: TrialLimits,
    until: float,
) -> dict[TrialKey, str]:
    """Collective. Fit configurations on all rows, dealt over the ranks.

    Parameters
    ----------
    trials : sequence of Trial
        The most important first; the same on every rank.
    models : Path
        Directory of the files, see `refit_path`.
    world : World
    evaluator : Evaluator
        Without any trial under way.
    limits : TrialLimits
        Of a trial; fitting on all rows may take `MORE_TIME` times as long.
    until : float
        When to leave off, in seconds since the epoch on rank 0's clock.

    Returns
    -------
    dict of TrialKey to str
        On rank 0, why a configuration has no model; elsewhere nothing.
    """
    waiting = list(trials[world.rank :: world.size])
    under_way: dict[TrialKey, Trial] = {}
    failures: dict[TrialKey, str] = {}

    def take(patience: float) -> None:
        for result in evaluator.poll(patience):
            under_way.pop(result.trial.key, None)
            if result.status is not Status.SUCCESS:
                failures[result.trial.key] = result.reason

    while (waiting or under_way) and world.now() < until:
        while waiting and evaluator.can_submit:
            trial = waiting.pop(0)
            under_way[trial.key] = trial
            seconds = min(MORE_TIME * limits.seconds, until - world.now())
            evaluator.refit(trial, refit_path(models, trial.key), seconds=seconds, memory=limits.memory)
        take(_POLL)
    evaluator.cancel()
    leaving = time.monotonic() + _LEAVING
    while under_way and time.monotonic() < leaving:
        take(_POLL)
    failures.update(dict.fromkeys((*under_way, *(trial.key for trial in waiting)), "there was no time left"))
    merged: dict[TrialKey, str] = {}
    for part in world.gather(failures):
        merged.update(part)
    return merged
