"""The proposer by ask and tell: never a repetition, always valid, repeatable, and moved by what others found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace
from search_spaces import large_space, small_space

from mpi_automl.configuration_identity import identities
from mpi_automl.search.acquisition import AcquisitionOptimizerOptions
from mpi_automl.search.history import History
from mpi_automl.search.initial import initial_design
from mpi_automl.search.proposer import Proposer, SpaceExhaustedError
from mpi_automl.search.seeds import rank_seed
from mpi_automl.search.surrogate_training import MOST_TRIALS, Model, choose_rows
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.trial import Origin, Status, TrialKey

SUPPORT = Path(__file__).resolve().parents[1] / "support"


LEARNER = list(large_space()).index("learner:choice")


def cost(vector: np.ndarray) -> float:
    """A cost with a best learner and a best place for every number."""
    active = vector[~np.isnan(vector)]
    return float(0.01 + 0.1 * np.mean((active - 0.3) ** 2) + 0.02 * (vector[LEARNER] != 3))


def search(proposer: Proposer, trials: int, *, rank: int = 0, status=Status.SUCCESS) -> list:
    proposals = []
    for number in range(trials):
        proposal = proposer.ask()
        proposals.append(proposal)
        key = [TrialKey(0, rank, number)]
        proposer.tell(proposal.vector[None], [cost(proposal.vector)], [status], key, foreign=False)
    return proposals


def make(space=None, seed: int = 1, rank: int = 0, **more) -> Proposer:
    space = space or large_space()
    return Proposer(space, rank_seed(seed, rank), initial_design(space, "random", rank, 2, seed), **more)


@pytest.mark.slow
def test_every_proposal_is_valid_and_new():
    space = large_space()
    proposer = make(space)
    proposals = search(proposer, 60)
    for proposal in proposals:
        space.check_configuration_vector_representation(proposal.vector)
    assert len(set(identities(np.array([proposal.vector for proposal in proposals])))) == 60
    origins = [proposal.origin for proposal in proposals]
    assert origins[0] == Origin.DEFAULT
    assert set(origins[1:8]) == {Origin.INITIAL}
    assert origins.count(Origin.MODEL) > origins[8:].count(Origin.RANDOM) > 0
    assert proposer.asked[Origin.MODEL] == origins.count(Origin.MODEL)
    assert all(proposal.seconds > 0 for proposal in proposals)


def test_it_works_without_initial_configurations_and_without_any_result():
    proposer = Proposer(large_space(), 5)
    vectors = [proposer.ask().vector for _ in range(30)]
    assert len(set(identities(np.array(vectors)))) == 30


@pytest.mark.slow
def test_the_model_finds_better_configurations_than_chance():
    space = VectorSpace(large_space())
    found = search(make(), 80)
    drawn = space.sample(80, np.random.RandomState(0))
    assert min(cost(p.vector) for p in found) < min(cost(vector) for vector in drawn)
    later = [cost(p.vector) for p in found[40:] if p.origin is Origin.MODEL]
    assert np.median(later) < np.quantile([cost(vector) for vector in drawn], 0.1)


def test_the_first_ten_configurations_of_two_ranks_never_coincide():
    for seed in range(5):
        ranks = [search(make(seed=seed, rank=rank), 10, rank=rank) for rank in range(2)]
        first, second = (set(identities(np.array([p.vector for p in proposals]))) for proposals in ranks)
        assert not first & second


def planted_run(plant: bool) -> tuple[list, np.ndarray]:
    space = large_space()
    proposer = make(space, random_share=0.0)
    search(proposer, 12)
    planted = VectorSpace(space).sample(1, np.random.RandomState(77))
    if plant:
        proposer.tell(planted, [1e-4], [Status.SUCCESS], [TrialKey(0, 3, 0)], foreign=True)
    return [proposer.ask() for _ in range(8)], planted[0]


def test_a_planted_foreign_incumbent_changes_what_is_proposed():
    without, planted = planted_run(False)
    with_it, _ = planted_run(True)

    def distance(vector: np.ndarray) -> float:
        return float(np.abs(np.nan_to_num(vector, nan=-1) - np.nan_to_num(planted, nan=-1)).sum())

    assert not any(np.array_equal(a.vector, b.vector, equal_nan=True) for a, b in zip(without, with_it, strict=True))
    assert min(distance(p.vector) for p in with_it) < 0.5 * min(distance(p.vector) for p in without)
    assert Origin.FOREIGN in {p.origin for p in with_it}
    assert Origin.FOREIGN not in {p.origin for p in without}


def test_trials_are_counted_by_whose_they_are():
    proposer = make()
    search(proposer, 5)
    keys = [TrialKey(0, 1, number) for number in range(3)]
    vectors = VectorSpace(large_space()).sample(3, np.random.RandomState(0))
    assert proposer.tell(vectors, [1, 2, 3], [1, 1, 1], keys, foreign=True) == 3
    assert proposer.tell(vectors, [1, 2, 3], [1, 1, 1], keys, foreign=True) == 0
    assert (proposer.history.own, proposer.history.foreign) == (5, 3)


def test_what_is_pending_elsewhere_is_not_proposed_again():
    first, second = make(random_share=0.0), make(random_share=0.0)
    search(first, 15)
    search(second, 15)
    expected = first.ask().vector
    second.set_pending({TrialKey(0, 1, 0): expected})
    proposed = second.ask().vector
    assert not np.array_equal(proposed, expected, equal_nan=True)


def test_asking_repeatedly_without_telling_gives_different_configurations():
    proposer = make(random_share=0.0)
    search(proposer, 15)
    vectors = np.array([proposer.ask().vector for _ in range(12)])
    for i, vector in enumerate(vectors):
        others = np.delete(vectors, i, axis=0)
        difference = np.nan_to_num(np.abs(others - vector), nan=0.0)
        difference[np.isnan(others) != np.isnan(vector)] = 1.0
        assert difference.max(axis=1).min() >= 0.01


def test_known_configurations_are_left_out_even_if_initial():
    space = large_space()
    initial = initial_design(space, "random", 0, 1, 1)
    proposer = Proposer(space, 1, initial)
    proposer.tell(np.array(initial[:3]), [1, 1, 1], [1, 1, 1], [(0, 1, i) for i in range(3)], foreign=True)
    assert np.array_equal(proposer.ask().vector, initial[3], equal_nan=True)


def test_failures_and_the_dummy_are_endured():
    space = large_space()
    proposer = make(space)
    proposer.tell(np.full((1, len(space)), np.nan), [0.3], [Status.SUCCESS], [TrialKey(0, 0, 0)], foreign=False)
    for number, status in enumerate([Status.CRASHED, Status.TIMEOUT, Status.MEMOUT, Status.STOPPED] * 3, start=1):
        proposal = proposer.ask()
        proposer.tell(proposal.vector[None], [np.nan], [status], [TrialKey(0, 0, number)], foreign=False)
    assert proposer.ask().origin is Origin.RANDOM
    for number in range(20, 24):
        vector = proposer.ask().vector
        proposer.tell(vector[None], [cost(vector)], [Status.SUCCESS], [TrialKey(0, 0, number)], foreign=False)
    assert Origin.MODEL in {proposer.ask().origin for _ in range(6)}


def test_failing_components_are_avoided():
    space = VectorSpace(large_space())
    vectors = space.sample(300, np.random.RandomState(0))
    failing = vectors[:, LEARNER] < 8
    proposer = Proposer(space.space, 1, random_share=0.0)
    costs = np.where(failing, np.nan, [cost(vector) for vector in vectors])
    statuses = np.where(failing, Status.CRASHED, Status.SUCCESS)
    proposer.tell(vectors, costs, statuses, [(0, 0, i) for i in range(300)], foreign=False)
    assert np.mean([proposer.ask().vector[LEARNER] < 8 for _ in range(10)]) < 0.3


def test_an_exhausted_space_is_said_to_be():
    space = ConfigurationSpace({"a": [1, 2], "b": [True, False]})
    proposer = Proposer(space, 1)
    assert len({identities(proposer.ask().vector[None])[0] for _ in range(4)}) == 4
    with pytest.raises(SpaceExhaustedError, match="Every configuration"):
        proposer.ask()


def test_a_small_space_is_searched_to_its_end():
    space = ConfigurationSpace([CategoricalHyperparameter(name, list(range(4))) for name in "abc"])
    found = search(Proposer(space, 1), 64)
    assert len(set(identities(np.array([p.vector for p in found])))) == 64


def test_short_trials_are_served_from_one_model_and_long_ones_are_not():
    trained = {}
    for seconds in (0.001, 1000.0):
        proposer = make(space=small_space(), random_share=0.0, cpu_share=0.03)
        for number in range(40):
            vector = proposer.ask().vector
            key = [TrialKey(0, 0, number)]
            proposer.tell(vector[None], [float(np.nanmean(vector))], [1], key, foreign=False, seconds=[seconds])
        trained[seconds] = proposer.trainings
    assert trained[1000.0] > 25
    assert trained[0.001] < trained[1000.0] / 3


def test_proposals_from_one_model_differ_from_each_other_though_nothing_is_running():
    space = small_space()
    proposer = Proposer(space, 1, random_share=0.0, cpu_share=1e-9)
    vectors = VectorSpace(space).sample(60, np.random.RandomState(0))
    costs = np.nanmean((vectors - 0.3) ** 2, axis=1)
    proposer.tell(vectors, costs, np.ones(60), [(0, 1, i) for i in range(60)], foreign=True)
    proposed = []
    for number in range(12):
        vector = proposer.ask().vector
        proposed.append(np.nan_to_num(vector, nan=-1.0))
        key = [TrialKey(0, 0, number)]
        proposer.tell(vector[None], [0.5], [1], key, foreign=False, seconds=[0.01])
    assert proposer.trainings == 1
    rows = np.array(proposed)
    distances = np.abs(rows[:, None] - rows[None]).max(axis=2) + np.eye(len(rows))
    assert distances.min() >= 0.01


@pytest.mark.slow
def test_what_is_nearly_known_is_not_proposed():
    space = large_space()
    proposer = Proposer(space, 1, random_share=0.0)
    vectors = VectorSpace(space).sample(30, np.random.RandomState(0))
    proposer.tell(
        vectors, [cost(vector) for vector in vectors], np.ones(30), [(0, 1, i) for i in range(30)], foreign=True
    )
    for number in range(40):
        vector = proposer.ask().vector
        known = np.nan_to_num(proposer.history.vectors, nan=-1.0)
        assert np.abs(known - np.nan_to_num(vector, nan=-1.0)).max(axis=1).min() >= 0.01
        proposer.tell(vector[None], [cost(vector)], [1], [(0, 0, number)], foreign=False)


def test_proposals_take_turns_at_the_best_maxima_and_random_candidates():
    space = VectorSpace(large_space())
    vectors = space.sample(60, np.random.RandomState(0))
    history = History(len(space))
    history.add(vectors, [cost(v) for v in vectors], np.ones(60), [(0, 0, i) for i in range(60)], foreign=False)
    nobody = np.empty((0, len(space)))
    ranks = {}
    for turns in (1, 8):
        model = Model(space, np.random.SeedSequence(1), AcquisitionOptimizerOptions(turns=turns))
        for _ in range(16):
            is_maximum = model._turn % 2 == 0
            model.train(history, nobody)
            values = model._acquisition(np.array([vector for vector, _ in model._queue]))
            first, _ = next(iter(model.take(nobody, nobody)))
            rank = int((values > 1.000001 * model._acquisition(first[None])[0]).sum())
            ranks.setdefault((turns, is_maximum), []).append(rank)
    assert ranks[1, True] == [0] * 8
    assert max(ranks[8, True]) >= 6  # equal ones count as one
    assert len(set(ranks[8, True])) > 4
    # The best random candidate is where a local search began, which found something better.
    assert min(ranks[1, False] + ranks[8, False]) > 0


def test_the_best_and_the_latest_survive_when_the_history_outgrows_the_model():
    costs = np.random.default_rng(0).random(25_000)
    rows = choose_rows(costs, MOST_TRIALS, np.random.default_rng(0))
    assert len(rows) == len(set(rows.tolist())) == MOST_TRIALS
    assert set(np.argsort(costs)[: MOST_TRIALS // 4].tolist()) <= set(rows.tolist())
    assert set(range(25_000 - MOST_TRIALS // 4, 25_000)) <= set(rows.tolist())
    np.testing.assert_array_equal(choose_rows(costs[:500], MOST_TRIALS, np.random.default_rng(0)), np.arange(500))


def test_the_best_of_a_long_history_is_still_searched_around():
    space = VectorSpace(large_space())
    vectors = space.sample(15_000, np.random.RandomState(0))
    costs = np.array([cost(vector) for vector in vectors])
    best = int(np.flatnonzero(vectors[:, LEARNER] == 9)[0])
    costs[best] = 1e-5
    proposer = Proposer(space.space, 1, random_share=0.0)
    proposer.tell(vectors, costs, np.ones(15_000), [(0, 1, i) for i in range(15_000)], foreign=True)
    proposed = np.array([proposer.ask().vector for _ in range(5)])
    assert (proposed[:, LEARNER] == vectors[best, LEARNER]).sum() >= 3


SCRIPT = """
import sys
import numpy as np
from search_spaces import large_space
from mpi_automl.search.initial import initial_design
from mpi_automl.search.proposer import Proposer, SpaceExhaustedError
from mpi_automl.search.seeds import rank_seed

space = large_space()
proposer = Proposer(space, rank_seed(3, 1), initial_design(space, "sobol", 1, 2, 3))
for number in range(16):
    vector = proposer.ask().vector
    sys.stdout.write(vector.tobytes().hex())
    cost = float(np.nanmean(vector))
    proposer.tell(vector[None], [cost], [1], [(0, 1, number)], foreign=False)
    if number % 5 == 0:
        other = np.array(initial_design(space, "random", 0, 1, number, count=4))
        proposer.tell(other, [0.1, 0.2, 0.3, 0.4], [1] * 4, [(0, 0, 4 * number + i) for i in range(4)], foreign=True)
        proposer.set_pending(other[:1] * 0.5)
"""


@pytest.mark.slow
def test_proposals_do_not_depend_on_pythons_hash_seed():
    outputs = []
    for hash_seed in ("0", "4242"):
        paths = os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1])])
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
        command = [sys.executable, "-c", SCRIPT]
        outputs.append(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(outputs[0]) == 16 * 16 * len(large_space())
    assert outputs[0] == outputs[1]


def test_nothing_heavy_is_imported_before_the_first_model():
    script = (
        "import sys; from search_spaces import small_space; from mpi_automl.search.proposer import Proposer;"
        "Proposer(small_space(), 1).ask(); sys.exit('smac' in sys.modules or 'sklearn.ensemble' in sys.modules)"
    )
    paths = os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1])])
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": paths}, check=True)
