"""What a rank reports and receives, with one rank and no MPI."""

import signal
import time

from simulated_loop import make_end, make_proposer, make_trial

from mpi_automl.job.known_trials import KnownTrials
from mpi_automl.job.trial_sharing import TrialSharing
from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.rounds import open_synchronization
from mpi_automl.parallel.world import World
from mpi_automl.search.halving import Halving, Promotions
from mpi_automl.settings import Settings
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey

WORLD = World(None, time.time())
DEFAULTS = Settings()


def make_sharing(search_end=None, settings=DEFAULTS, promotions=None):
    exchange = open_exchange(WORLD, settings.share, lambda: promotions)
    known = KnownTrials(make_proposer(), 0)
    return TrialSharing(exchange, open_synchronization(WORLD, settings, 2), known, search_end or make_end())


def end(trial, cost=0.5, seconds=2.0):
    return Result(trial, Status.SUCCESS, cost, 0.0, seconds)


def hand_over(sharing):
    limit = time.monotonic() + 10
    while not sharing.is_finished:
        assert time.monotonic() < limit
        sharing.leave()
        sharing.receive()
        time.sleep(0.001)


def test_rank_0_knows_what_was_reported():
    sharing = make_sharing()
    trial = make_trial(0)
    sharing.report_start(trial)
    (state,) = sharing.exchange.coordinator.states
    assert state.running == 1
    sharing.report_end(end(trial, cost=0.25))
    assert state.running == 0
    assert state.finished == {Status.SUCCESS: 1}
    assert state.busy_seconds == sharing.busy_seconds == 2.0
    assert sharing.exchange.coordinator.incumbent.cost == sharing.known.best_cost == 0.25
    hand_over(sharing)
    assert sharing.exchange.coordinator.is_complete
    assert sharing.known.received == 0


def test_a_signal_is_reported_and_comes_back_as_the_order_to_stop():
    search_end = make_end(received=signal.SIGUSR1)
    sharing = make_sharing(search_end)
    assert sharing.needs_attention
    sharing.report()
    assert not search_end.is_stopped
    sharing.receive()
    assert search_end.is_stopped


def test_promotions_are_given_to_whoever_asks():
    sharing = make_sharing(promotions=Promotions(Halving((0.5, 1.0), 2), 1))
    for number, cost in ((0, 0.3), (1, 0.2)):
        trial = Trial(TrialKey(0, 0, number), make_trial(0, cost, cost).vector, 1, Origin.RANDOM, 0.5)
        sharing.report_end(end(trial, cost))
    promotions = []
    limit = time.monotonic() + 10
    while not promotions and time.monotonic() < limit:
        promotions = sharing.receive()
    assert [(promotion.key.number, promotion.budget) for promotion in promotions] == [(1, 1.0)]


def test_in_rounds_a_rank_takes_one_trial_at_a_time_and_shares_after_so_many():
    sharing = make_sharing(settings=Settings(deterministic=True, trials=4, exchange_every=2, share="history"))
    for number in range(2):
        assert sharing.synchronization.has_turn
        sharing.report_start(make_trial(number))
        assert not sharing.synchronization.has_turn
        sharing.report_end(end(make_trial(number)))
    assert not sharing.synchronization.has_turn
    sharing.receive()
    assert sharing.synchronization.has_turn
    hand_over(sharing)
