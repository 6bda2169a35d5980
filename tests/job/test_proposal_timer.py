"""When the next trial is proposed: late, but so that a rank is hardly ever without one."""

from __future__ import annotations

import numpy as np
import pytest

from mpi_automl.job.proposal_timer import LOST, ProposalTimer


def after(trials, proposing):
    timer = ProposalTimer()
    timer.note_proposal(proposing)
    for seconds in trials:
        timer.note_trial(seconds)
    return timer


def test_nothing_is_put_off_before_anything_is_known():
    timer = ProposalTimer()
    assert timer.delay == 0.0
    for _ in range(3):
        timer.note_trial(100.0)
        assert timer.delay == 0.0
    timer.note_trial(100.0)
    assert timer.delay == 0.0, "no proposal has been timed"
    timer.note_proposal(0.05)
    timer.note_trial(100.0)
    assert timer.delay == np.inf


def test_trials_that_take_equally_long_leave_the_time_for_a_proposal():
    assert after([1.0] * 32, 0.05).delay == pytest.approx(0.94)
    assert after([0.05] * 32, 0.05).delay == 0.0


def test_trials_long_beside_a_proposal_are_waited_for():
    assert after([20.0, 15.0, 90.0, 30.0], 0.05).delay == np.inf
    assert after([2.0, 1.5, 9.0, 3.0], 0.05).delay < np.inf


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0, 8.0])
def test_waiting_for_proposals_costs_no_more_than_the_share_allowed(scale):
    proposing = 0.05
    trials = scale * np.random.default_rng(0).lognormal(0.0, 1.0, 32)
    timer = after(trials, proposing)
    ended_before = (trials < timer.delay).sum()
    assert ended_before * proposing <= LOST * trials.sum()
    # Proposed any later, the next one would be too late for more trials than that.
    late_for = (trials <= timer.delay + proposing + 0.011).sum()
    assert late_for * (proposing + 0.01) > LOST * trials.sum()


def test_old_trials_do_not_count():
    timer = after([100.0] * 40, 0.05)
    for _ in range(32):
        timer.note_trial(0.5)
    assert timer.delay < 0.5
