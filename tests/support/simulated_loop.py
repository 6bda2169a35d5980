"""The parts of a search loop in one process, with simulated trials of a small space."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass

import numpy as np
from ConfigSpace import ConfigurationSpace

from mpi_automl.job.running_trials import RunningTrials
from mpi_automl.job.search_end import SearchEnd
from mpi_automl.job.signals import StopSignals
from mpi_automl.search.proposer import Proposer
from mpi_automl.simulation.evaluator import SimulatedEvaluator
from mpi_automl.simulation.surrogate_benchmark import SimulatedOutcome
from mpi_automl.trial import Origin, Status, Trial, TrialKey, TrialUpdate

SPACE = ConfigurationSpace({"x": (0.0, 1.0), "y": (0.0, 1.0)})


@dataclass(frozen=True)
class Slope:
    """A benchmark in which the cost is the mean of the vector, and every trial takes as long."""

    seconds: float = 0.01
    status: Status = Status.SUCCESS

    def outcome(self, vector):
        cost = float(np.mean(vector)) if self.status is Status.SUCCESS else np.nan
        return SimulatedOutcome(self.status, cost, self.seconds)


@dataclass(frozen=True)
class Limits:
    """Of one trial."""

    seconds: float = 10.0
    memory: float = 100.0


def make_end(seconds: float = 30.0, received: signal.Signals | None = None) -> SearchEnd:
    signals = StopSignals()
    signals.received = received
    return SearchEnd(time.time, time.time() + seconds, signals)


def make_running(end: SearchEnd, benchmark: Slope = Slope(), limits: Limits = Limits()) -> RunningTrials:
    return RunningTrials(SimulatedEvaluator(benchmark), limits, end)


def make_proposer(space: ConfigurationSpace = SPACE, seed: int = 1) -> Proposer:
    return Proposer(space, seed, random_share=1.0)


def make_trial(number: int = 0, *values: float, origin: Origin = Origin.RANDOM) -> Trial:
    return Trial(TrialKey(0, 0, number), np.array(values or (0.5, 0.5)), 1, origin)


def make_update(rank: int, number: int, status: Status = Status.SUCCESS, cost: float = 0.5) -> TrialUpdate:
    vector = np.array([rank / 10, number / 1000])
    cost = cost if status is Status.SUCCESS else np.nan
    return TrialUpdate(TrialKey(0, rank, number), status, cost, Origin.RANDOM, 1.0, 0.1, vector)
