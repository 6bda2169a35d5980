"""A rank's own SMAC loop: ask, evaluate, store, tell, and serve messages meanwhile."""

from __future__ import annotations

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.job import polling
from mpi_automl.job.proposal_timer import ProposalTimer
from mpi_automl.job.trial_updates import update_of_result, update_of_start
from mpi_automl.search.proposer import SpaceExhaustedError
from mpi_automl.search.seeds import trial_seed
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.evaluation.interface import TrialEvaluator
    from mpi_automl.job.liveness import LivenessMonitor
    from mpi_automl.job.plan import TrialLimits
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.job.signals import StopSignals
    from mpi_automl.parallel.exchange import Exchange
    from mpi_automl.parallel.messages import Bulletin
    from mpi_automl.parallel.rounds import Pace
    from mpi_automl.parallel.world import World
    from mpi_automl.search.proposer import Proposer
    from mpi_automl.storage.kept_models import KeptModels
    from mpi_automl.storage.writer import Store
    from mpi_automl.trial import TrialUpdate

_ROUND_POLL = 0.002
_CHORES = 0.25
"""Seconds after which signs of life, flushes and progress are seen to although nothing happened."""
_SHORTEST_TRIAL = 0.2
_SAVING = 1.0
_MODEL_SAVING = 10.0
_LAST_PROMOTIONS = 5.0
"""Seconds that a rank without anything new to try waits for a promotion after its last trial."""


@dataclass(frozen=True)
class LoopAccount:
    """What one rank did.

    Attributes
    ----------
    rank : int
    statuses : Counter of Status
        Its trials by status.
    search_seconds : float
        From the start of the loop to its end.
    busy_seconds : float
        Time in which one of its trials ran.
    ask_seconds, coordination_seconds : float
        Time spent proposing, and on messages.
    latencies : tuple of float
        Seconds each bulletin was under way.
    told : int
        Foreign finished trials told to the proposer.
    best_cost : float
        Of all trials it knows; infinite without a success.
    was_stopped : bool
        The search was ended by a signal, not by its time.
    waited_seconds : float
        Time in which the rank waited for others, where trials are made in rounds.
    is_complete : bool
        It made all the trials that it was to make, or all there are.
    """

    rank: int
    statuses: Counter[Status]
    search_seconds: float
    busy_seconds: float
    ask_seconds: float
    coordination_seconds: float
    latencies: tuple[float, ...]
    told: int
    best_cost: float
    was_stopped: bool
    waited_seconds: float = 0.0
    is_complete: bool = False


class SearchLoop:
    """The loop of one rank.

    Parameters
    ----------
    world : World
    proposer, evaluator, store, exchange, kept_models
        The rank's own.
    limits : TrialLimits
    budget : float
        Share of the full budget that new configurations get; rank 0 promotes the best of them.
    leg : int
        Number of the leg that the trials belong to.
    seed : int
        The job's seed.
    signals : StopSignals
    log : RankLog
    liveness : LivenessMonitor
        Keeps the loop from waiting for ever.
    pace : Pace
        When the rank may take its next trial.
    watchers : sequence of callable
        Called at every turn of the loop, for progress.
    """

    def __init__(
        self,
        world: World,
        proposer: Proposer,
        evaluator: TrialEvaluator,
        store: Store,
        exchange: Exchange,
        kept_models: KeptModels,
        limits: TrialLimits,
        *,
        budget: float,
        leg: int,
        seed: int,
        signals: StopSignals,
        log: RankLog,
        liveness: LivenessMonitor,
        pace: Pace,
        watchers: Sequence[Callable[[], None]],
    ) -> None:
        self._world, self._proposer, self._evaluator, self._store = world, proposer, evaluator, store
        self._exchange, self._kept_models, self._limits = exchange, kept_models, limits
        self._leg, self._seed, self._signals, self._log, self._watchers = leg, seed, signals, log, watchers
        self._roll_call, self._pace = liveness, pace
        self._budget = budget
        self._promotions: deque[TrialUpdate] = deque()
        self._last_end = 0.0
        self._stopping = self._is_exhausted = False
        self._next_number = 0
        self._ahead = ProposalTimer()
        self._running_since = 0.0
        self._submitted = 0
        self._elsewhere: dict[TrialKey, NDArray[np.float64]] = {}
        self._ask_seconds: dict[TrialKey, float] = {}
        self._statuses: Counter[Status] = Counter()
        self._busy_seconds = 0.0
        self._told = 0

    def run(self, first: Iterable[Trial] = ()) -> LoopAccount:
        """Search until the time is up or a stop is asked for, and hand over everything that is due.

        Parameters
        ----------
        first : iterable of Trial
            Evaluated before anything is proposed.
        """
        # SMAC and scikit-learn take seconds to import: meanwhile the first trials run and messages are served.
        Thread(target=self._proposer.prepare, daemon=True).start()
        started = self._world.now()
        waiting = list(first)
        self._next_number = len(waiting)
        while not self._must_stop():
            self._serve()
            if self._wants_trial(waiting):
                self._submit_next(waiting)
            self._rest()
            self._watch()
        self._stop_evaluating()
        ended = self._world.now()
        self._hand_over()
        return LoopAccount(
            self._world.rank,
            self._statuses,
            ended - started,
            self._busy_seconds,
            sum(self._ask_seconds.values()),
            self._exchange.coordination_seconds,
            tuple(self._exchange.latencies),
            self._told,
            self._best_cost(),
            self._stopping,
            self._pace.waited_seconds,
            self._is_complete,
        )

    def _best_cost(self) -> float:
        row = self._proposer.history.best()
        return np.inf if row is None else float(self._proposer.history.costs[row])

    def _watch(self) -> None:
        self._roll_call.watch()
        for watcher in self._watchers:
            watcher()

    def _rest(self) -> None:
        """Wait until there is something to do; a look for messages takes a fraction of a turn of the loop."""
        chores = time.monotonic() + _CHORES
        while not self._take(self._patience()):
            has_call = self._exchange.has_work or self._pace.is_waiting or self._signals.received is not None
            if has_call or self._wants_trial(()) or self._must_stop() or time.monotonic() > chores:
                return

    def _patience(self) -> float:
        # With a place free in the evaluator's queue there is a proposal to make, not an event to wait for.
        if self._wants_trial(()):
            return 0.0
        if self._pace.is_waiting:
            return _ROUND_POLL
        usual_trial = self._busy_seconds / max(1, self._statuses.total())
        pause = min(self._remaining(), polling.pause(usual_trial, is_sending=self._exchange.is_sending))
        until_due = self._until_due()
        return min(pause, until_due) if self._evaluator.can_submit and until_due > 0 else pause

    def _until_due(self) -> float:
        """Seconds until the next trial is to be proposed, should the present one not end before."""
        if not self._submitted or self._promotions:
            return 0.0
        return max(0.0, self._running_since + self._ahead.delay - time.monotonic())

    def _wants_trial(self, waiting: Sequence[Trial]) -> bool:
        has_room = self._pace.has_turn and self._evaluator.can_submit and self._remaining() > _SHORTEST_TRIAL
        has_something = bool(self._promotions) or not self._is_exhausted
        is_due = has_something and not self._made_all() and self._until_due() <= 0
        return has_room and (bool(waiting) or is_due)

    def _made_all(self) -> bool:
        return self._limits.trials is not None and self._next_number >= self._limits.trials

    def _has_tried_all(self) -> bool:
        """Every configuration has been evaluated, and no trial is to be expected from rank 0 either."""
        awaits_promotions = self._budget < 1.0 and time.monotonic() - self._last_end < _LAST_PROMOTIONS
        return self._is_exhausted and not self._promotions and not awaits_promotions

    def _remaining(self) -> float:
        return self._limits.search_end - self._world.now()

    @property
    def _is_complete(self) -> bool:
        return (self._made_all() or self._has_tried_all()) and self._statuses.total() >= self._next_number

    def _must_stop(self) -> bool:
        return self._stopping or self._is_complete or self._remaining() <= 0

    def _submit_next(self, waiting: list[Trial]) -> None:
        try:
            if waiting:
                self._submit(waiting.pop(0))
            else:
                self._submit(self._promoted() if self._promotions else self._propose())
        except SpaceExhaustedError:
            self._log.note("every configuration of the space has been evaluated")
            self._is_exhausted = True

    def _propose(self) -> Trial:
        started = time.perf_counter()
        proposal = self._proposer.ask()
        trial = self._next_trial(proposal.vector, proposal.origin, self._budget)
        self._ask_seconds[trial.key] = spent = time.perf_counter() - started
        self._ahead.note_proposal(spent)
        return trial

    def _promoted(self) -> Trial:
        promotion = self._promotions.popleft()
        return self._next_trial(promotion.vector, promotion.origin, promotion.budget)

    def _next_trial(self, vector: NDArray[np.float64], origin: Origin, budget: float) -> Trial:
        key = TrialKey(self._leg, self._world.rank, self._next_number)
        self._next_number += 1
        return Trial(key, vector, trial_seed(self._seed, key), origin, budget)

    def _submit(self, trial: Trial) -> None:
        seconds = min(self._limits.seconds, self._remaining())
        self._evaluator.submit(
            trial,
            seconds=seconds,
            memory=self._limits.memory,
            keep_model_below=self._kept_models.threshold_for(trial),
        )
        if not self._submitted:
            self._running_since = time.monotonic()
        self._submitted += 1
        self._store.begin(trial)
        self._post(update_of_start(trial))

    def _take(self, patience: float) -> bool:
        """Record what has ended, and give whether anything has."""
        results = self._evaluator.poll(patience)
        for result in results:
            assert isinstance(result, Result)
            self._submitted -= 1
            self._running_since = time.monotonic()
            self._record(self._judge(result))
        return bool(results)

    def _judge(self, result: Result) -> Result:
        """A trial that ran into the end of the job, or was ended with it, says nothing about its configuration."""
        was_cut_short = self._remaining() <= polling.SHORTEST or self._stopping
        ran = result.end - result.start
        if result.status is Status.TIMEOUT and was_cut_short and ran < 0.9 * self._limits.seconds:
            return replace(result, status=Status.STOPPED, reason="the search ended")
        # Batch systems send this one to every process of a job, trials and their server too.
        if result.status is Status.CRASHED and self._signals.received is signal.SIGTERM:
            return replace(result, status=Status.STOPPED, reason="the job was told to end")
        return result

    def _record(self, result: Result) -> None:
        key = result.trial.key
        result = replace(result, ask_seconds=self._ask_seconds.get(key, 0.0))
        self._store.write(result)
        self._kept_models.note(result)
        self._log.trial(result)
        self._statuses[result.status] += 1
        self._busy_seconds += result.end - result.start
        self._ahead.note_trial(result.end - result.start)
        self._last_end = time.monotonic()
        news = update_of_result(result)
        self._tell([news], foreign=False)
        self._post(news)

    def _tell(self, trials: list[TrialUpdate], *, foreign: bool) -> None:
        self._proposer.tell(
            np.array([trial.vector for trial in trials]),
            [trial.cost for trial in trials],
            [trial.status for trial in trials],
            [trial.key for trial in trials],
            foreign=foreign,
            seconds=[trial.seconds for trial in trials],
            budgets=[trial.budget for trial in trials],
        )

    def _post(self, *news: TrialUpdate) -> None:
        self._pace.note(news)
        wants_stop = self._signals.received is not None
        self._exchange.post(news, busy_seconds=self._busy_seconds, told=self._told, wants_stop=wants_stop)

    def _serve(self) -> None:
        self._post()
        for bulletin in (*self._exchange.serve(), *self._pace.serve()):
            self._hear(bulletin)
        self._store.flush_if_due()

    def _hear(self, bulletin: Bulletin) -> None:
        self._stopping = self._stopping or bulletin.stop
        self._promotions.extend(bulletin.promotions)
        foreign = [trial for trial in bulletin.trials if trial.key.rank != self._world.rank]
        if not foreign:
            return
        for trial in foreign:
            if trial.status is Status.RUNNING:
                self._elsewhere[trial.key] = trial.vector
            else:
                self._elsewhere.pop(trial.key, None)
        self._proposer.set_pending(self._elsewhere)
        finished = [trial for trial in foreign if trial.status is not Status.RUNNING]
        if finished:
            self._tell(finished, foreign=True)
            self._told += len(finished)

    def _stop_evaluating(self) -> None:
        self._await_last_model()
        self._evaluator.cancel()
        limit = time.monotonic() + _SAVING
        while self._submitted and time.monotonic() < limit:
            self._take(polling.SHORTEST)
        self._kept_models.tidy()

    def _await_last_model(self) -> None:
        """A search that ends by its number of trials has the time to let the last model be written."""
        limit = time.monotonic() + min(_MODEL_SAVING, self._remaining())
        while not (self._stopping or self._kept_models.is_complete) and time.monotonic() < limit:
            self._serve()
            self._take(polling.SHORTEST)

    def _hand_over(self) -> None:
        """Report that this rank is done, and hear the rest of what the others did."""
        delivered = False
        self._pace.leave()
        while not (self._exchange.is_idle and self._pace.is_over):
            self._roll_call.call()
            if not delivered:
                delivered = self._exchange.post(busy_seconds=self._busy_seconds, told=self._told, is_last=True)
            for bulletin in (*self._exchange.serve(), *self._pace.serve()):
                self._hear(bulletin)
            self._watch()
            time.sleep(0.002)
