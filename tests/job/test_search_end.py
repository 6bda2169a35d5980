"""When a rank's search ends."""

import signal

import pytest
from simulated_loop import make_end


def test_the_search_ends_with_its_time():
    assert make_end(10.0).remaining == pytest.approx(10.0, abs=1.0)
    assert not make_end(10.0).is_over
    assert make_end(-1.0).is_over


def test_a_stop_ends_the_search_before_its_time():
    clock = make_end()
    clock.is_stopped = True
    assert clock.is_over


def test_a_signal_is_reported_and_does_not_end_the_search_by_itself():
    clock = make_end(received=signal.SIGUSR1)
    assert clock.has_signal
    assert not clock.is_over
    assert not clock.was_terminated
    assert make_end(received=signal.SIGTERM).was_terminated
    assert not make_end().has_signal
