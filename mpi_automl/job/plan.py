"""What a job is going to do, decided on rank 0 before the first trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mpi_automl.search.halving import Halving, Promotions
from mpi_automl.search.initial import initial_design
from mpi_automl.search.seeds import trial_seed
from mpi_automl.trial import Origin, Trial, TrialKey

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from mpi_automl.evaluation.limits import TrialLimits
    from mpi_automl.job.resume import EarlierLegs
    from mpi_automl.job.time_budget import TimeBudget
    from mpi_automl.job.warm_start import WarmStart
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.storage.choice import StoreOptions
    from mpi_automl.storage.kept_models import ModelsBound
    from mpi_automl.storage.sizes import StoreLayout


@dataclass(frozen=True)
class StorePlan:
    """What the prediction store and the kept models of a leg need.

    Attributes
    ----------
    layout : StoreLayout
    options : StoreOptions
    models_bound : ModelsBound
        How much of its fitted models each rank may keep.
    """

    layout: StoreLayout
    options: StoreOptions
    models_bound: ModelsBound


@dataclass(frozen=True)
class SearchPlan:
    """What the search of every rank starts from.

    Attributes
    ----------
    configspace : ConfigurationSpace
    leg : int
        Number of this leg of the run.
    seed : int
    initial : str
        Kind of the initial design.
    budgets : tuple of float
        Shares of the full budget that trials get, ascending; new configurations begin with the first.
    eta : int
        Factor between them.
    earlier : EarlierLegs or None
        What earlier legs of the run found.
    warm_start : WarmStart or None
        What other runs found.
    """

    configspace: ConfigurationSpace
    leg: int
    seed: int
    initial: str
    budgets: tuple[float, ...] = (1.0,)
    eta: int = 3
    earlier: EarlierLegs | None = None
    warm_start: WarmStart | None = None

    def initial_design(self, rank: int, size: int) -> list[NDArray[np.float64]]:
        """The configurations a rank starts with."""
        first = None if self.warm_start is None else self.warm_start.vectors
        return initial_design(self.configspace, self.initial, rank, size, self.seed, first=first)

    def first_trials(self, rank: int) -> list[Trial]:
        """The dummy, once in the run: rank 0 evaluates it."""
        if rank != 0 or (self.earlier is not None and self.earlier.has_dummy):
            return []
        key = TrialKey(self.leg, 0, 0)
        vector = np.full(len(self.configspace), np.nan)
        return [Trial(key, vector, trial_seed(self.seed, key), Origin.DUMMY)]

    @property
    def dummy_cost(self) -> float:
        """Cost of the dummy, as an earlier leg found it; else NaN."""
        return np.nan if self.earlier is None else self.earlier.dummy_cost

    def promotions(self, size: int) -> Promotions | None:
        """What rank 0 decides promotions by, with the earlier legs' trials; None when all have the full budget."""
        if len(self.budgets) == 1:
            return None
        halving = Halving(self.budgets, self.eta)
        if self.earlier is not None:
            self.earlier.promote(halving)
        return Promotions(halving, size)


@dataclass(frozen=True)
class Plan:
    """The facts every rank needs; small enough to broadcast.

    Attributes
    ----------
    directory : Path
        The run directory.
    title : str
        The task in one line, for people.
    metric : Metric
    time : TimeBudget
    limits : TrialLimits
    store : StorePlan
    search : SearchPlan
    prunes : bool
        Whether trials are given up after some folds that are far behind the best one.
    n_folds : int
        Models that a trial fits.
    """

    directory: Path
    title: str
    metric: Metric
    time: TimeBudget
    limits: TrialLimits
    store: StorePlan
    search: SearchPlan
    prunes: bool = False
    n_folds: int = 1

    def log_of(self, rank: int) -> Path:
        """Log file of a rank."""
        return self.directory / "logs" / f"rank-{rank:04d}.log"

    @property
    def models(self) -> Path:
        """Where fitted models are kept."""
        return self.directory / "models"
