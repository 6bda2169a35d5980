"""What a rank's proposer learns of its own trials and of others."""

import numpy as np
from simulated_loop import make_proposer, make_update

from mpi_automl.job.known_trials import KnownTrials
from mpi_automl.trial import Status


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
