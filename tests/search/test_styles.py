"""Ranks may differ in how they search; SMAC's own way is always among them."""

from __future__ import annotations

import numpy as np
import pytest
from search_spaces import large_space

from mpi_automl.search.proposer import Proposer
from mpi_automl.search.styles import KINDS, Style, rank_style
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.settings import Settings


def test_every_kind_begins_with_smacs_way_and_differs_later():
    for kind in KINDS:
        assert rank_style(kind, 0) == Style()
        Settings(diversity=kind)
        assert (len({rank_style(kind, rank) for rank in range(12)}) > 1) == (kind != "none")
    shares = [rank_style("random", rank).random_share for rank in range(3)]
    assert np.mean(shares) == pytest.approx(Style().random_share)
    with pytest.raises(ValueError, match="no diversity"):
        rank_style("colour", 0)


def test_local_ranks_stay_near_the_best_and_exploring_ranks_do_not():
    space = VectorSpace(large_space())
    vectors = space.sample(300, np.random.RandomState(0))
    costs = np.nan_to_num(vectors, nan=0.5).mean(axis=1)

    def proposed(kind: str, rank: int) -> np.ndarray:
        effort = rank_style(kind, rank).effort
        proposer = Proposer(space.space, 1, random_share=0.0, effort=effort)
        proposer.tell(vectors, costs, np.ones(300), [(0, 0, i) for i in range(300)], foreign=False)
        return np.array([proposer.ask().vector for _ in range(4)])

    def distance(rows: np.ndarray) -> float:
        known = np.nan_to_num(vectors[np.argsort(costs)[:10]], nan=-1)
        different = [(np.abs(known - np.nan_to_num(row, nan=-1)) > 1e-6).sum(axis=1).min() for row in rows]
        return float(np.mean(different))

    local, everywhere = distance(proposed("locality", 1)), distance(proposed("locality", 2))
    assert local < everywhere
    bold, usual = proposed("exploration", 3), proposed("exploration", 0)
    assert not np.array_equal(bold, usual, equal_nan=True)
