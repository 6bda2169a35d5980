"""What counts as a full trial, and what follows from it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mpi_automl.configuration_identity import identities, identity
from mpi_automl.errors import UserError
from mpi_automl.runs.run import Run
from mpi_automl.trial import Origin, Status, TrialKey, is_full

FIELDS = [("leg", "i4"), ("rank", "i4"), ("number", "i4"), ("origin", "u1"), ("status", "u1")]
FIELDS += [("budget", "f8"), ("cost", "f8"), ("end", "f8")]
SUCCESS = int(Status.SUCCESS)

ROWS = np.array(
    [
        (0, 0, 0, Origin.DUMMY, SUCCESS, 1.0, 0.01, 1.0),
        (0, 0, 1, Origin.RANDOM, SUCCESS, 1.0, 0.50, 2.0),
        (0, 0, 2, Origin.RANDOM, SUCCESS, 1 / 3, 0.02, 3.0),
        (0, 0, 3, Origin.RANDOM, Status.CRASHED, 1.0, np.nan, 4.0),
        (0, 1, 0, Origin.RANDOM, SUCCESS, 1.0, 0.40, 6.0),
        (0, 1, 1, Origin.RANDOM, Status.TIMEOUT, 1.0, 0.03, 7.0),
        (0, 1, 2, Origin.RANDOM, SUCCESS, 1.0, 0.40, 8.0),
        # Another host, whose clock is late.
        (1, 0, 0, Origin.MODEL, SUCCESS, 1.0, 0.30, 5.0),
    ],
    dtype=FIELDS,
)


@pytest.fixture
def run(tmp_path):
    found = Run(tmp_path)
    keys = tuple(TrialKey(*map(int, (row["leg"], row["rank"], row["number"]))) for row in ROWS)
    found.reader = SimpleNamespace(records=ROWS, keys=keys)
    return found


def test_full_trials_are_successes_with_the_full_budget_but_not_the_dummy(run):
    assert np.flatnonzero(run.is_full).tolist() == [1, 4, 6, 7]
    assert is_full(Status.SUCCESS, Origin.RANDOM, 1.0, 0.5)
    assert not is_full(Status.SUCCESS, Origin.RANDOM, 1.0, np.nan)
    assert not is_full(Status.SUCCESS, Origin.RANDOM, 1.0, np.inf)


def test_the_ranking_keeps_the_order_of_equal_costs(run):
    assert run.ranking.tolist() == [7, 4, 6, 1]
    assert run.dummy == TrialKey(0, 0, 0)


def test_incumbents_follow_each_other_from_leg_to_leg(run):
    assert run.incumbents().tolist() == [1, 4, 7]
    assert run.incumbents(rank=1).tolist() == [4]
    assert run.incumbents(rank=5).tolist() == []


def test_an_empty_store_has_no_incumbents(run):
    run.reader = SimpleNamespace(records=ROWS[:0], keys=())
    assert run.incumbents().tolist() == run.ranking.tolist() == []
    assert run.dummy is None


def test_a_place_without_a_run_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="not a run directory"):
        _ = Run(tmp_path).settings
    with pytest.raises(UserError, match="no trials"):
        _ = Run(tmp_path).reader


def test_one_configuration_and_many_have_the_same_identities():
    vectors = np.array([[0.1 + 0.2, np.nan], [0.3, np.nan], [0.3, 0.0]])
    assert identities(vectors) == [identity(vector) for vector in vectors]
    assert identity(vectors[0]) == identity(vectors[1]) != identity(vectors[2])
