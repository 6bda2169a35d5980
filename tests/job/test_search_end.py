"""When a rank's search ends."""

import signal

import pytest
from simulated_loop import make_end


def test_the_search_ends_with_its_time():
    assert make_end(10.0).remaining == pytest.approx(10.0, abs=1.0)
    assert not make_end(10.0).is_over
    assert make_end(-1.0).is_over


def test_a_stop_ends_the_search_before_its_time():
    end = make_end()
    end.is_stopped = True
    assert end.is_over


def test_a_signal_is_reported_and_does_not_end_the_search_by_itself():
    end = make_end(received=signal.SIGUSR1)
    assert end.has_signal
    assert not end.is_over
    assert not end.was_terminated
    assert make_end(received=signal.SIGTERM).was_terminated
    assert not make_end().has_signal
