"""The loop of a rank as a whole: one process, a world of one, simulated trials."""

import signal
import time
from types import SimpleNamespace

import pytest
from simulated_loop import Limits, Slope, make_end, make_proposer

from mpi_automl.job.known_trials import KnownTrials
from mpi_automl.job.liveness import LivenessMonitor
from mpi_automl.job.observer import Observer
from mpi_automl.job.rank_log import RankLog
from mpi_automl.job.running_trials import RunningTrials
from mpi_automl.job.search_loop import SearchLoop
from mpi_automl.job.session import JobSession
from mpi_automl.job.trial_recorder import TrialRecorder
from mpi_automl.job.trial_scheduler import ScheduleOptions, TrialScheduler
from mpi_automl.job.trial_sharing import TrialSharing
from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.rounds import open_synchronization
from mpi_automl.parallel.world import World
from mpi_automl.settings import Settings
from mpi_automl.simulation.evaluator import SimulatedEvaluator
from mpi_automl.storage.kept_models import KeptModels, ModelsBound
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.sizes import StoreLayout
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Status

QUICK, DEFAULTS = Slope(0.02), Settings()


@pytest.fixture
def search(tmp_path):
    """``search(end, benchmark, settings)`` runs a loop and gives its statistics and the stored statuses."""

    def run(end, benchmark=QUICK, settings=DEFAULTS, callback=lambda: None):
        world = World(None, time.time())
        facts = {"space": "{}", "truth": [0.0], "validation_rows": [0]}
        store = create_store(tmp_path, 0, StoreLayout(1, 1000, 5, 1, 0, 1, 2), facts, world)
        proposer = make_proposer()
        exchange = open_exchange(world, settings.share)
        synchronization = open_synchronization(world, settings, 2)
        session = JobSession(Settings(), world, SimulatedEvaluator(Slope()), RankLog(), Observer())
        plan = SimpleNamespace(time=SimpleNamespace(deadline=time.time() + 60, search_end=time.time() + 30))
        loop = SearchLoop(
            end,
            TrialScheduler(proposer, ScheduleOptions(0, 0, 1, max_trials=settings.trials)),
            RunningTrials(SimulatedEvaluator(benchmark), Limits(), end),
            TrialRecorder(store, KeptModels(tmp_path, ModelsBound(0)), session.log),
            TrialSharing(exchange, synchronization, KnownTrials(proposer, 0), end),
            LivenessMonitor(plan, session, exchange, 60.0),
            (callback,),
        )
        statistics = loop.run()
        store.close()
        return statistics, RunReader(tmp_path).records

    return run


def test_a_number_of_trials_is_made_stored_and_counted(search):
    statistics, records = search(make_end(), settings=Settings(trials=12))
    assert len(records) == 12
    assert statistics.statuses == {Status.SUCCESS: 12}
    assert statistics.is_complete
    assert not statistics.was_stopped
    assert statistics.busy_seconds == pytest.approx(12 * 0.02, rel=0.1)
    assert statistics.best_cost == records["cost"].min()
    assert statistics.received == 0


def test_the_search_ends_with_its_time_and_the_last_trial_is_stopped(search):
    end = make_end(2.0)
    statistics, records = search(end, Slope(0.5))
    assert end.remaining <= 0 < statistics.search_seconds < 4.0
    assert 1 <= statistics.statuses[Status.SUCCESS] <= 4
    assert statistics.statuses[Status.STOPPED] == len(records) - statistics.statuses[Status.SUCCESS] > 0
    assert not statistics.is_complete


def test_a_signal_ends_the_search(search):
    statistics, records = search(make_end(received=signal.SIGUSR1), Slope(5.0))
    assert statistics.search_seconds < 3.0
    assert statistics.was_stopped
    assert set(records["status"]) <= {Status.STOPPED}


def test_in_rounds_trials_follow_one_another(search):
    settings = Settings(deterministic=True, trials=6, exchange_every=2, share="history")
    statistics, records = search(make_end(), settings=settings)
    assert len(records) == 6
    assert statistics.is_complete
    assert (records["start"][1:] >= records["end"][:-1]).all()


def test_callbacks_are_called_all_the_time(search):
    calls = []
    search(make_end(), Slope(0.1), Settings(trials=5), lambda: calls.append(time.monotonic()))
    assert len(calls) >= 5
