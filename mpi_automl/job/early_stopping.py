"""When cross-validation of a trial is given up: the threshold that the incumbent of the whole job sets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.trial import Origin, Status, TrialUpdate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.storage.reader import RunReader

NO_THRESHOLD = math.inf


def threshold_of(rule: str, fold_costs: Sequence[float]) -> float:
    """Mean cost of the folds so far above which a trial is lost against one with these fold costs.

    Parameters
    ----------
    rule : {"none", "forgiving", "aggressive"}
        With ``forgiving`` the worst fold cost, with ``aggressive`` the mean (Bergman, Purucker and Hutter
        2024, "Don't Waste Your Time: Early Stopping Cross-Validation").
    fold_costs : sequence of float
        Of a trial of which every fold was evaluated. Of a single fold nothing can be left out.
    """
    if rule == "none" or len(fold_costs) < 2:
        return NO_THRESHOLD
    return float(max(fold_costs) if rule == "forgiving" else np.mean(fold_costs))


class EarlyStopping:
    """What a rank knows of the incumbent of the whole job: enough to stop trials that are lost against it.

    Parameters
    ----------
    rule : str
        See `threshold_of`.
    incumbent : TrialUpdate, optional
        The best trial of earlier legs.

    Attributes
    ----------
    rule : str
    threshold : float
        Of the incumbent; infinite without one.
    """

    def __init__(self, rule: str, incumbent: TrialUpdate | None = None) -> None:
        self.rule = rule
        self.threshold = NO_THRESHOLD
        self._cost = math.inf
        if incumbent is not None:
            self.note(incumbent)

    def note(self, trial: TrialUpdate) -> None:
        """Hear of a trial, this rank's or another's; only a whole one with the full budget can be the incumbent."""
        if trial.status is Status.SUCCESS and trial.budget >= 1.0 and trial.cost < self._cost:
            self._cost, self.threshold = trial.cost, trial.threshold

    def threshold_for(self, budget: float) -> float:
        """Threshold of the next trial; one with a smaller budget is judged among its like, and never stopped."""
        return self.threshold if budget >= 1.0 else NO_THRESHOLD


def earlier_incumbent(reader: RunReader, setup: EvaluationSetup, rule: str) -> TrialUpdate | None:
    """The best trial of earlier legs with its threshold, from its stored predictions; None if that cannot be told.

    Where a row is validated in several folds only the mean of its predictions is stored, from which
    the cost of a fold does not follow.

    Parameters
    ----------
    reader : RunReader
    setup : EvaluationSetup
        With the folds as they are in the table.
    rule : str
        See `threshold_of`.
    """
    resampling, task = setup.resampling, setup.task
    if rule == "none" or sum(len(fold.validation) for fold in resampling.folds) > len(resampling.validation_rows):
        return None
    usable = reader.has_predictions & (reader.records["budget"] >= 1.0) & (reader.records["origin"] != Origin.DUMMY)
    if not usable.any():
        return None
    costs = np.where(usable, reader.records["cost"], np.inf)
    trial = reader.trial(reader.keys[int(np.argmin(costs))])
    try:
        predictions = reader.predictions([trial.key])[0]
    except UserError:  # damaged: the first trials of this leg will tell
        return None
    rows = (np.searchsorted(resampling.validation_rows, fold.validation) for fold in resampling.folds)
    fold_costs = [
        setup.metric.cost(task.y[fold.validation], predictions[positions], task.type)
        for fold, positions in zip(resampling.folds, rows, strict=True)
    ]
    threshold, cost = threshold_of(rule, fold_costs), float(costs.min())
    return TrialUpdate(trial.key, Status.SUCCESS, cost, trial.origin, trial.budget, 0.0, trial.vector, threshold)
