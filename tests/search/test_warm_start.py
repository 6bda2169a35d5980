"""Configurations of one space find their counterparts in another, and what gets lost is counted."""

from __future__ import annotations

import numpy as np
from ConfigSpace import (
    CategoricalHyperparameter,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from search_spaces import large_space, small_space

from mpi_automl.search.initial import initial_design
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.search.warm_start import translate
from mpi_automl.trial import Origin


def values(space, vectors):
    return [dict(Configuration(space, vector=vector)) for vector in vectors]


def other_space():
    """Like the small space, with another range of depths, a learner more and one less."""
    space = ConfigurationSpace(seed=0)
    learner = CategoricalHyperparameter("learner", ["forest", "tree"])
    depth = UniformIntegerHyperparameter("depth", 1, 4)
    fresh = UniformFloatHyperparameter("fresh", 0.0, 1.0, default_value=0.25)
    space.add(learner, depth, fresh)
    space.add(EqualsCondition(depth, learner, "forest"))
    return space


def test_a_space_is_translated_into_itself_exactly():
    space = VectorSpace(large_space())
    vectors = space.sample(100, np.random.RandomState(0))
    found = translate(space, values(space.space, vectors))
    assert found.is_exact
    np.testing.assert_allclose(found.vectors, vectors, atol=1e-9)


def test_what_is_missing_or_illegal_is_replaced_or_left_out_and_counted():
    assert "forest" in small_space()["learner"].choices
    given = [
        {"learner": "forest", "depth": 9, "alpha": 0.1},
        {"learner": "linear", "alpha": 0.1},
        {"learner": "forest", "depth": 3},
        {"learner": "forest", "depth": 3},
        {"learner": "tree"},
    ]
    found = translate(VectorSpace(other_space()), given)
    assert values(other_space(), found.vectors) == [
        {"learner": "forest", "depth": 4, "fresh": 0.25},
        {"learner": "forest", "depth": 3, "fresh": 0.25},
        {"learner": "tree", "fresh": 0.25},
    ]
    assert (found.left_out, found.changed, found.unknown) == (1, 1, 1)
    assert not found.is_exact


def test_a_component_that_is_fixed_here_to_another_one_has_no_counterpart():
    given = [{"learner": "forest", "scaling": "minmax"}, {"learner": "forest", "scaling": "none"}]
    found = translate(VectorSpace(other_space()), given, {"scaling": "none"})
    assert (len(found.vectors), found.left_out, found.unknown) == (1, 1, 0)


def test_what_other_runs_found_is_dealt_first_and_proposed_though_it_is_known():
    space = VectorSpace(large_space())
    best = space.sample(7, np.random.RandomState(3))
    hands = [initial_design(space.space, "random", rank, 3, 1, first=best) for rank in range(3)]
    dealt = [hands[position % 3][position // 3] for position in range(8)]
    np.testing.assert_array_equal(np.array(dealt[:7]), best)
    np.testing.assert_array_equal(dealt[7], space.default)
    for again, first in ((best, best[0]), ((), best[6])):
        proposer = Proposer(space.space, 1, hands[0], again=again)
        proposer.tell(best[:6], np.ones(6), np.ones(6), [(-2, 0, i) for i in range(6)], foreign=True)
        proposal = proposer.ask()
        np.testing.assert_array_equal(proposal.vector, first)
        assert proposal.origin is Origin.INITIAL
        assert not np.array_equal(proposer.ask().vector, first, equal_nan=True)
