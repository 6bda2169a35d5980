"""A search on many ranks in one process and in virtual time, as ``scaling.py measure --virtual`` makes it.

The ranks' proposers are the real ones, and so is the rule when the next trial is proposed
(`mpi_automl.job.proposal_timer`); trials
end in the order of the benchmark's durations, and updates arrive at once. There are no messages, no store and no
waiting, so that many seeds can be compared; scaling.py without ``--virtual`` shows on real ranks what these add.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field

import numpy as np
from simulated_search import Case, Limits, Measured, share_alike

from mpi_automl.job.proposal_timer import ProposalTimer
from mpi_automl.search.initial import initial_design
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.seeds import rank_seed
from mpi_automl.simulation.surrogate_benchmark import SimulatedOutcome, SurrogateBenchmark
from mpi_automl.trial import TrialKey

PROPOSING = 0.05
"""Seconds of wall time that a proposal takes."""


@dataclass(eq=False)
class VirtualTrial:
    """A trial, from its proposal to its end."""

    key: TrialKey
    vector: np.ndarray
    outcome: SimulatedOutcome
    start: float = np.nan


@dataclass(eq=False)
class VirtualRank:
    """One rank: a trial that runs, perhaps one that waits, and what others found that it has not received yet."""

    number: int
    proposer: Proposer
    timer: ProposalTimer
    running: VirtualTrial | None = None
    waiting: VirtualTrial | None = None
    updates: list[VirtualTrial] = field(default_factory=list)
    made: int = 0


class VirtualSearch:
    """All ranks of a search.

    Parameters
    ----------
    case : Case
    benchmark : SurrogateBenchmark
    scale : float
        Wall seconds for each second of the benchmark, in which all times here are: what proposing takes beside a trial
        depends on it.
    """

    def __init__(self, case: Case, benchmark: SurrogateBenchmark, scale: float) -> None:
        self._case, self._benchmark, self._scale = case, benchmark, scale
        self._ranks = [self._make_rank(rank) for rank in range(case.ranks)]
        self._events: list[tuple[float, int, str, VirtualRank]] = []
        self._serial = 0
        self.pending: dict[TrialKey, VirtualTrial] = {}
        self.finished: list[VirtualTrial] = []
        self.trace: list[list[float]] = []
        self.received = 0
        self.proposing = self.now = 0.0

    def _make_rank(self, rank: int) -> VirtualRank:
        case, space = self._case, self._benchmark.configspace
        first = initial_design(space, case.initial, rank, case.ranks, case.seed)
        seed = rank_seed(case.seed, rank)
        proposer = Proposer(space, seed, first)
        return VirtualRank(rank, proposer, ProposalTimer())

    def run(self, limits: Limits) -> None:
        """Let time go by until the target is reached or the time is up."""
        for rank in self._ranks:
            self._begin(rank, self._propose(rank))
        while self._events:
            self.now, _, what, rank = heapq.heappop(self._events)
            if self.now > limits.seconds:
                return
            if what == "due":
                if rank.waiting is None:
                    rank.waiting = self._propose(rank)
            elif what == "begin":
                self._begin(rank, self._propose(rank))
            else:
                self._end(rank)
                if self._is_over(limits):
                    return

    def _is_over(self, limits: Limits) -> bool:
        has_made_all = limits.trials is not None and len(self.finished) >= limits.trials * len(self._ranks)
        reached = limits.target is not None and bool(self.trace) and self.trace[-1][1] <= limits.target
        return has_made_all or reached

    def _schedule(self, seconds: float, what: str, rank: VirtualRank) -> None:
        self._serial += 1
        heapq.heappush(self._events, (self.now + seconds, self._serial, what, rank))

    def _propose(self, rank: VirtualRank) -> VirtualTrial:
        for trial in rank.updates:
            _tell(rank.proposer, trial, foreign=True)
        self.received += len(rank.updates)
        rank.updates.clear()
        if self._case.share == "history":
            rank.proposer.set_pending([t.vector for t in self.pending.values() if t.key.rank != rank.number])
        vector = rank.proposer.ask().vector
        trial = VirtualTrial(TrialKey(0, rank.number, rank.made), vector, self._benchmark.outcome(vector))
        rank.made += 1
        rank.timer.note_proposal(PROPOSING)
        self.proposing += PROPOSING / self._scale
        self.pending[trial.key] = trial
        return trial

    def _begin(self, rank: VirtualRank, trial: VirtualTrial) -> None:
        rank.running, trial.start = trial, self.now
        self._schedule(trial.outcome.seconds, "end", rank)
        delay = rank.timer.delay / self._scale
        if delay < trial.outcome.seconds:
            self._schedule(delay, "due", rank)

    def _end(self, rank: VirtualRank) -> None:
        trial = rank.running
        assert trial is not None
        del self.pending[trial.key]
        self.finished.append(trial)
        rank.timer.note_trial(self._scale * trial.outcome.seconds)
        is_incumbent = trial.outcome.cost < (self.trace[-1][1] if self.trace else np.inf)
        if is_incumbent:
            self.trace.append([self.now, trial.outcome.cost, len(self.finished)])
        if self._case.share == "history" or (self._case.share == "incumbents" and is_incumbent):
            for other in self._ranks:
                if other is not rank:
                    other.updates.append(trial)
        _tell(rank.proposer, trial, foreign=False)
        following, rank.waiting = rank.waiting, None
        if following is None:
            self._schedule(PROPOSING / self._scale, "begin", rank)
        else:
            self._begin(rank, following)


def _tell(proposer: Proposer, trial: VirtualTrial, *, foreign: bool) -> None:
    outcome = trial.outcome
    proposer.tell(trial.vector[None], [outcome.cost], [outcome.status], [trial.key], foreign=foreign)


def search_once(case: Case, limits: Limits, benchmark: SurrogateBenchmark) -> Measured:
    """Search, and give what came of it; the limit of time is in seconds of the benchmark."""
    began = time.perf_counter()
    search = VirtualSearch(case, benchmark, limits.scale)
    search.run(limits)
    finished, total = search.finished, case.ranks * search.now
    last = search.trace[-1][1] if search.trace else float("inf")
    return Measured(
        case,
        limits,
        [*search.trace, [search.now, last, len(finished)]],
        time.perf_counter() - began,
        sum(trial.outcome.seconds for trial in finished) / total,
        search.proposing / total,
        0.0,
        search.received,
        len(finished),
        share_alike(
            np.array([trial.vector for trial in finished]),
            np.array([trial.key.rank for trial in finished]),
            np.array([trial.start for trial in finished]),
        ),
    )
