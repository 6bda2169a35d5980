"""What a job is going to do, decided on rank 0 before the first trial."""

from __future__ import annotations

import math
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

    from mpi_automl.job.resume import EarlierLegs
    from mpi_automl.job.warm_start import WarmStart
    from mpi_automl.metrics.registry import Metric
    from mpi_automl.settings import Settings
    from mpi_automl.storage.choice import StoreOptions
    from mpi_automl.storage.kept_models import ModelsBound
    from mpi_automl.storage.layout import StoreLayout


_REFIT_SHARE = 0.5
"""Of the time after the search, the part that fitting final models may take."""

_FINAL_SHARE = 0.1
MORE_TIME = 2.0
"""All rows are more than a trial learned from: fitting anew may take so many times a trial's limit."""

WORTH_A_REPORT = 20.0
"""Seconds that a job must take: a shorter one is not made to wait for its report."""
_REPORT_SHARE, _REPORT_MOST = 0.04, 3.0


@dataclass(frozen=True)
class TrialLimits:
    """What a trial may use, and until when.

    Attributes
    ----------
    seconds : float
        Wall time of one trial.
    memory : float
        MiB that one trial may add.
    search_end : float
        When searching ends, in seconds since the epoch on rank 0's clock.
    """

    seconds: float
    memory: float
    search_end: float


@dataclass(frozen=True)
class Plan:
    """The facts every rank needs; small enough to broadcast.

    Attributes
    ----------
    directory : Path
        The run directory.
    leg : int
        Number of this leg of the run.
    configspace : ConfigurationSpace
    layout : StoreLayout
    models_bound : ModelsBound
        How much of its fitted models each rank may keep.
    store_options : StoreOptions
    initial : str
        Kind of the initial design.
    limits : TrialLimits
    seed : int
    started, deadline : float
        Start and end of the job, in seconds since the epoch on rank 0's clock.
    title : str
        The task in one line, for people.
    metric : Metric
    earlier : EarlierLegs or None
        What earlier legs of the run found.
    budgets : tuple of float
        Shares of the full budget that trials get, ascending; new configurations begin with the first.
    eta : int
        Factor between them.
    warm_start : WarmStart or None
        What other runs found.
    leaves_time : bool
        The total time of the run is not used up by this leg.
    refits : bool
        Members are fitted anew on all rows.
    final_seconds : float
        Time kept after the search for that.
    """

    directory: Path
    leg: int
    configspace: ConfigurationSpace
    layout: StoreLayout
    models_bound: ModelsBound
    store_options: StoreOptions
    initial: str
    limits: TrialLimits
    seed: int
    started: float
    deadline: float
    title: str
    metric: Metric
    earlier: EarlierLegs | None = None
    budgets: tuple[float, ...] = (1.0,)
    eta: int = 3
    warm_start: WarmStart | None = None
    leaves_time: bool = False
    refits: bool = False
    final_seconds: float = 0.0

    def log_of(self, rank: int) -> Path:
        """Log file of a rank."""
        return self.directory / "logs" / f"rank-{rank:04d}.log"

    @property
    def models(self) -> Path:
        """Where fitted models are kept."""
        return self.directory / "models"

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

    def promotions(self, size: int) -> Promotions | None:
        """What rank 0 decides promotions by, with the earlier legs' trials; None when all have the full budget."""
        if len(self.budgets) == 1:
            return None
        halving = Halving(self.budgets, self.eta)
        if self.earlier is not None:
            self.earlier.promote(halving)
        return Promotions(halving, size)

    @property
    def refit_end(self) -> float:
        """When fitting of final models must end, in seconds since the epoch on rank 0's clock."""
        kept_until = self.limits.search_end + self.final_seconds
        return kept_until + _REFIT_SHARE * (self.deadline - kept_until)


def reserve(total: float, load: float) -> float:
    """Seconds to keep at the end for closing the store, the ensemble and the exit.

    Parameters
    ----------
    total : float
        Seconds of the whole job.
    load : float
        Busy threads per core: everything at the end takes so much longer.
    """
    return min(0.25 * total, 1.5 + 0.5 * max(1.0, load) + min(0.02 * total, 60.0))


def trial_seconds(settings: Settings) -> float:
    """Limit of one trial's wall time."""
    return settings.trial_time or settings.time / 10


def refit_seconds(settings: Settings, total: float, ranks: int) -> float:
    """Seconds to keep for fitting all members anew.

    Parameters
    ----------
    settings : Settings
    total : float
        Seconds of the whole job.
    ranks : int
        Members are dealt over them.
    """
    if settings.final_time is not None:
        return settings.final_time
    rounds = math.ceil(settings.ensemble_size / ranks)
    return min(_FINAL_SHARE * total, rounds * MORE_TIME * trial_seconds(settings))


def report_seconds(settings: Settings) -> float:
    """Seconds to keep at the end for the report that the command line writes."""
    return (
        min(_REPORT_SHARE * settings.time, _REPORT_MOST) if settings.report and settings.time >= WORTH_A_REPORT else 0.0
    )
