"""What a rank has handed to its evaluator, and what the end of the search makes of it."""

import signal
import time

import numpy as np
import pytest
from simulated_loop import Limits, Slope, make_end, make_running, make_trial

from mpi_automl.trial import Status


def ended(running, count=1):
    results = []
    limit = time.monotonic() + 10
    while len(results) < count and time.monotonic() < limit:
        results += running.poll(0.1)
    assert len(results) == count
    return results


def test_trials_are_counted_until_their_results_come():
    running = make_running(make_end())
    for number in range(2):
        assert running.can_submit
        running.submit(make_trial(number), np.inf)
    assert (running.count, running.can_submit) == (2, False)
    results = ended(running, 2)
    assert [result.trial.key.number for result in results] == [0, 1]
    assert running.count == 0
    assert running.poll(0.0) == []


def test_the_running_time_of_the_second_trial_begins_with_the_end_of_the_first():
    running = make_running(make_end(), Slope(0.5))
    before = time.monotonic()
    running.submit(make_trial(0), np.inf)
    assert running.since >= before
    running.submit(make_trial(1), np.inf)
    ended(running, 1)
    assert running.since >= before + 0.4


def test_a_trial_gets_no_more_time_than_the_search_has_left():
    running = make_running(make_end(0.3), Slope(20.0))
    running.submit(make_trial(), np.inf)
    (result,) = ended(running)
    assert result.status is Status.STOPPED
    assert result.reason == "the search ended"


def test_a_trial_that_used_up_its_own_limit_is_a_timeout_also_at_the_end_of_the_search():
    end = make_end()
    running = make_running(end, Slope(20.0), Limits(seconds=0.1))
    running.submit(make_trial(), np.inf)
    end.is_stopped = True
    (result,) = ended(running)
    assert result.status is Status.TIMEOUT


@pytest.mark.parametrize(
    ("received", "status"), [(signal.SIGTERM, Status.STOPPED), (signal.SIGUSR1, Status.CRASHED), (None, Status.CRASHED)]
)
def test_a_crash_after_sigterm_says_nothing_about_the_configuration(received, status):
    running = make_running(make_end(received=received), Slope(0.01, Status.CRASHED))
    running.submit(make_trial(), np.inf)
    (result,) = ended(running)
    assert result.status is status


def test_no_trial_is_begun_shortly_before_the_end():
    assert make_running(make_end(5.0)).has_time
    assert not make_running(make_end(0.1)).has_time


def test_cancelled_trials_come_as_stopped():
    running = make_running(make_end(), Slope(20.0))
    running.submit(make_trial(), np.inf)
    running.cancel()
    (result,) = ended(running)
    assert result.status is Status.STOPPED
