"""The run history keeps every trial once."""

from __future__ import annotations

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.search.history import History
from mpi_automl.trial import Status, TrialKey


def add(history: History, numbers: range, *, rank: int = 0, foreign: bool = False, **more):
    vectors = np.array([[number / 1000, np.nan, rank] for number in numbers])
    keys = [TrialKey(0, rank, number) for number in numbers]
    costs = [1000.0 - number for number in numbers]
    return history.add(vectors, costs, [Status.SUCCESS] * len(keys), keys, foreign=foreign, **more)


def test_everything_told_is_there_in_order_after_growing():
    history = History(3)
    for start in range(0, 1000, 25):
        add(history, range(start, start + 25), seconds=[2.0] * 25)
    assert len(history) == history.own == 1000
    np.testing.assert_allclose(history.vectors[:, 0], np.arange(1000) / 1000)
    assert np.isnan(history.vectors[:, 1]).all()
    np.testing.assert_array_equal(history.costs, 1000.0 - np.arange(1000))
    np.testing.assert_array_equal(history.keys[:, 2], np.arange(1000))
    assert (history.statuses == Status.SUCCESS).all()
    assert (history.seconds == 2.0).all()


def test_a_trial_told_twice_counts_once():
    history = History(3)
    add(history, range(10))
    new = add(history, range(5, 15), foreign=True)
    np.testing.assert_array_equal(new, np.arange(5, 10))
    assert (len(history), history.own, history.foreign, history.repeated) == (15, 10, 5, 5)
    assert TrialKey(0, 0, 14) in history
    assert TrialKey(0, 1, 14) not in history
    assert len(add(history, range(0))) == 0


def test_the_same_key_twice_in_one_batch_counts_once():
    history = History(1)
    history.add(np.array([[0.1], [0.1]]), [1, 1], [1, 1], [(0, 0, 0), (0, 0, 0)], foreign=False)
    assert len(history) == 1
    assert history.repeated == 1


def test_best_looks_only_at_successes():
    history = History(1)
    statuses = [Status.SUCCESS, Status.CRASHED, Status.STOPPED, Status.TIMEOUT]
    vectors = np.arange(4.0)[:, None]
    history.add(vectors, [0.5, 0.0, 0.4, 0.1], statuses, [(0, 1, i) for i in range(4)], foreign=True)
    history.add(vectors[:1], [0.9], [Status.SUCCESS], [(0, 0, 0)], foreign=False)
    assert history.best() == 0
    assert history.best(foreign=False) == 4
    assert History(1).best() is None


def test_configurations_are_recognised_whatever_the_last_bits():
    vectors = np.array([[0.1 + 0.2, np.nan, 0.0], [0.3, np.nan, -0.0], [0.3, 0.0, 0.0], [0.3, np.nan, 1e-6]])
    first, second, third, fourth = identities(vectors)
    assert first == second
    assert len({first, third, fourth}) == 3
    history = History(3)
    history.add(vectors[:1], [1.0], [Status.SUCCESS], [(0, 0, 0)], foreign=False)
    assert history.knows(second)
    assert not history.knows(third)
