"""Batches of vectors agree with ConfigSpace, one configuration at a time."""

from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace.exceptions import IllegalValueError  # noqa: F401  # the base of what ConfigSpace raises
from ConfigSpace.util import change_hp_value
from search_spaces import large_space, small_space

from mpi_automl.search.candidates import Neighbourhood, local_search
from mpi_automl.search.vectors import VectorSpace


@pytest.fixture(scope="module")
def space() -> VectorSpace:
    return VectorSpace(large_space())


@pytest.fixture(scope="module")
def drawn(space: VectorSpace) -> np.ndarray:
    return space.sample(3000, np.random.RandomState(0))


def configspace_accepts(space: VectorSpace, vector: np.ndarray) -> bool:
    try:
        space.space.check_configuration_vector_representation(vector)
    except Exception:  # noqa: BLE001  # ConfigSpace has several kinds of errors without a common base
        return False
    return True


def test_samples_are_valid_for_configspace(space, drawn):
    assert drawn.shape == (3000, len(space))
    for vector in drawn:
        space.space.check_configuration_vector_representation(vector)


def test_samples_follow_configspaces_distributions(space, drawn):
    theirs = np.array([c.get_array() for c in space.space.sample_configuration(3000)])
    assert np.abs(np.isnan(drawn).mean(axis=0) - np.isnan(theirs).mean(axis=0)).max() < 0.06
    often = np.isnan(drawn).mean(axis=0) < 0.5
    difference = np.nanmean(drawn[:, often], axis=0) - np.nanmean(theirs[:, often], axis=0)
    assert (np.abs(difference) < 0.1 * np.nanmax(theirs[:, often], axis=0)).all()


def test_no_sample_is_drawn_twice_and_none_when_none_is_wanted(space, drawn):
    assert len({vector.tobytes() for vector in drawn}) > 2990
    assert space.sample(0, np.random.RandomState(0)).shape == (0, len(space))


def test_validity_agrees_with_configspace_on_spoilt_vectors(space, drawn):
    rng = np.random.default_rng(1)
    spoilt = drawn[:600].copy()
    rows, places = np.arange(600), rng.integers(len(space), size=600)
    values = np.select([rows % 4 == 0, rows % 4 == 1, rows % 4 == 2], [np.nan, 0.0, 1.0], default=0.5)
    spoilt[rows, places] = values
    # ConfigSpace does not look whether values of unconditional hyperparameters are legal.
    spoilt = spoilt[(rows % 4 != 3) | space.is_conditional[places]]
    theirs = np.array([configspace_accepts(space, vector) for vector in spoilt])
    ours = space.is_valid(spoilt)
    assert 0.1 < theirs.mean() < 0.9
    assert (ours == theirs).all()


def test_forbidden_combinations_are_recognised(space):
    columns = space._draw(4000, np.random.RandomState(3))
    ours = space.is_forbidden(columns)
    theirs = [any(f.is_forbidden_vector(column) for f in space.space.forbidden_clauses) for column in columns.T]
    assert ours.sum() > 50
    assert (ours == np.array(theirs)).all()


def test_activity_follows_a_changed_parent_as_in_configspace(space, drawn):
    choice = space.names.index("learner:choice")
    columns = np.ascontiguousarray(drawn[:300].T)
    columns[choice] = np.arange(300) % 15
    settled = columns.copy()
    space.apply_conditions(settled)
    for before, after, value in zip(drawn[:300], settled.T, columns[choice], strict=True):
        expected = change_hp_value(space.space, before.copy(), "learner:choice", value, choice)
        np.testing.assert_array_equal(after, expected)


@pytest.mark.parametrize("make", [large_space, small_space])
def test_neighbours_are_valid_and_differ_in_one_active_hyperparameter(make):
    space = VectorSpace(make())
    starts = space.sample(60, np.random.RandomState(1))
    neighbours, owners = Neighbourhood(space).around(starts, 200, np.random.default_rng(2))
    assert len(neighbours) > 60 * 5
    assert (np.diff(owners) >= 0).all()
    assert space.is_valid(neighbours).all()
    for neighbour, start in zip(neighbours, starts[owners], strict=True):
        assert configspace_accepts(space, neighbour)
        both = ~np.isnan(neighbour) & ~np.isnan(start)
        assert (neighbour[both] != start[both]).sum() == 1
    everywhere = ~np.isnan(starts).all(axis=0)
    changed = {int(np.flatnonzero(n != s)[0]) for n, s in zip(neighbours, starts[owners], strict=True)}
    assert changed <= set(np.flatnonzero(everywhere).tolist())


def test_neighbours_reach_every_other_category(space):
    start = space.default[None]
    neighbours, _ = Neighbourhood(space).around(start, 10_000, np.random.default_rng(0))
    choice = space.names.index("learner:choice")
    reached = set(neighbours[:, choice].tolist())
    allowed = set()
    for value in range(15):
        column = start.T.copy()
        column[choice] = value
        space.apply_conditions(column)
        if not space.is_forbidden(column)[0]:
            allowed.add(float(value))
    assert reached == allowed


def test_width_limits_the_neighbours_of_each_start(space, drawn):
    _, owners = Neighbourhood(space).around(drawn[:50], 10, np.random.default_rng(0))
    assert np.bincount(owners, minlength=50).max() == 10 or np.bincount(owners, minlength=50).max() <= 10
    assert len(owners) > 300


def test_climbing_ends_at_better_valid_configurations(space, drawn):
    target = space.default

    def closeness(vectors: np.ndarray) -> np.ndarray:
        return -np.abs(np.nan_to_num(vectors, nan=-1.0) - np.nan_to_num(target, nan=-1.0)).sum(axis=1)

    starts = drawn[:8]
    found = local_search(Neighbourhood(space), closeness, starts, np.random.default_rng(0), width=300, steps=40)
    assert (found.values > closeness(starts)).all()
    np.testing.assert_allclose(found.values, closeness(found.vectors))
    assert space.is_valid(found.vectors).all()
    assert found.values.max() > -0.5
