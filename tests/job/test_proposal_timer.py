"""When the next trial is proposed: late, but so that a rank is hardly ever without one."""

from __future__ import annotations

import numpy as np
import pytest

from mpi_automl.job.proposal_timer import LOST, ProposalTimer


def after(trials, proposing):
    ahead = ProposalTimer()
    ahead.note_proposal(proposing)
    for seconds in trials:
        ahead.note_trial(seconds)
    return ahead


def test_nothing_is_put_off_before_anything_is_known():
    ahead = ProposalTimer()
    assert ahead.delay == 0.0
    for _ in range(3):
        ahead.note_trial(100.0)
        assert ahead.delay == 0.0
    ahead.note_trial(100.0)
    assert ahead.delay == 0.0, "no proposal has been timed"
    ahead.note_proposal(0.05)
    ahead.note_trial(100.0)
    assert ahead.delay == np.inf


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
    ahead = after(trials, proposing)
    ended_before = (trials < ahead.delay).sum()
    assert ended_before * proposing <= LOST * trials.sum()
    # Proposed any later, the next one would be too late for more trials than that.
    late_for = (trials <= ahead.delay + proposing + 0.011).sum()
    assert late_for * (proposing + 0.01) > LOST * trials.sum()


def test_old_trials_do_not_count():
    ahead = after([100.0] * 40, 0.05)
    for _ in range(32):
        ahead.note_trial(0.5)
    assert ahead.delay < 0.5
