"""What a rank's proposer learns of its own trials and of others."""

from dataclasses import replace

import numpy as np
import pytest
from simulated_loop import make_proposer, make_update

from mpi_automl.job.known_trials import KnownTrials
from mpi_automl.trial import Origin, Status


def test_finished_trials_of_others_are_learned_and_counted():
    proposer = make_proposer()
    known = KnownTrials(proposer, rank=1)
    assert known.best_cost == np.inf
    known.add_own(make_update(1, 0, cost=0.4))
    known.receive([make_update(0, 0, cost=0.3), make_update(2, 0, Status.CRASHED), make_update(1, 0, cost=0.4)])
    assert known.received == 2
    assert known.best_cost == 0.3
    assert len(proposer.history) == 3
    assert proposer.history.is_foreign.tolist() == [False, True, True]


def test_a_trial_of_another_rank_is_pending_until_it_ends():
    proposer = make_proposer()
    known = KnownTrials(proposer, rank=1)
    known.receive([make_update(0, 0, Status.RUNNING), make_update(2, 0, Status.RUNNING)])
    assert len(proposer._pending) == 2
    assert known.received == 0
    known.receive([make_update(0, 0)])
    assert len(proposer._pending) == 1
    assert known.received == 1


def test_trials_are_given_up_far_behind_the_best_once_the_dummy_is_known():
    known = KnownTrials(make_proposer(), rank=1, prunes=True)
    assert known.prune_above == np.inf
    known.add_own(make_update(1, 0, cost=0.1))
    assert known.prune_above == np.inf
    dummy = make_update(0, 0, cost=0.5)
    known.receive([replace(dummy, origin=Origin.DUMMY, vector=np.full_like(dummy.vector, np.nan))])
    assert known.prune_above == pytest.approx(0.1 + 0.35 * 0.4)
    known.add_own(replace(make_update(1, 1, Status.PRUNED), cost=0.05))
    assert known.best_cost == 0.1


def test_a_resumed_run_knows_what_the_dummy_cost():
    known = KnownTrials(make_proposer(), rank=1, prunes=True, dummy_cost=0.5)
    known.add_own(make_update(1, 0, cost=0.1))
    assert known.prune_above == pytest.approx(0.1 + 0.35 * 0.4)


def test_without_pruning_no_trial_is_given_up():
    known = KnownTrials(make_proposer(), rank=1)
    dummy = make_update(0, 0, cost=0.5)
    known.receive([replace(dummy, origin=Origin.DUMMY, vector=np.full_like(dummy.vector, np.nan))])
    known.add_own(make_update(1, 0, cost=0.1))
    assert known.prune_above == np.inf
