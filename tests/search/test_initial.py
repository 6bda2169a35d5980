"""Initial configurations: one list, dealt without overlap."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from search_spaces import large_space, small_space

from mpi_automl.configuration_identity import identities
from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.errors import UserError
from mpi_automl.search.initial import initial_design
from mpi_automl.search.seeds import rank_seed, trial_seed
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.space.space import build_space
from mpi_automl.trial import TrialKey


def dealt(space, kind: str, size: int, seed: int = 1, **more) -> list[list[bytes]]:
    hands = [initial_design(space, kind, rank, size, seed, **more) for rank in range(size)]
    return [identities(np.array(hand).reshape(-1, len(space))) for hand in hands]


@pytest.mark.parametrize("kind", ["default", "portfolio", "random", "sobol"])
@pytest.mark.parametrize("size", [1, 3, 40])
def test_the_list_is_dealt_without_overlap_and_has_the_default_once(kind, size):
    space = large_space()
    hands = dealt(space, kind, size)
    default = identities(space.get_default_configuration().get_array()[None])[0]
    together = [identity for hand in hands for identity in hand]
    if kind != "portfolio":
        assert hands[0][0] == default
    assert len(together) == len(set(together))
    assert all(hands)
    assert together.count(default) == 1


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_every_initial_configuration_is_valid(kind):
    space = large_space()
    vectors = np.array(initial_design(space, kind, 0, 1, 3, count=200))
    assert len(vectors) == 200
    assert VectorSpace(space).is_valid(vectors).all()
    for vector in vectors:
        space.check_configuration_vector_representation(vector)


def test_another_seed_gives_another_list_and_the_same_seed_the_same():
    space = large_space()
    assert dealt(space, "sobol", 2, seed=1) == dealt(space, "sobol", 2, seed=1)
    assert dealt(space, "sobol", 2, seed=1)[1] != dealt(space, "sobol", 2, seed=2)[1]


def test_sobol_fills_the_space_more_evenly_than_chance():
    space = VectorSpace(large_space())
    sobol = np.array(initial_design(space.space, "sobol", 0, 1, 1, count=129))[1:]
    counts = np.bincount(sobol[:, space.names.index("encoding:choice")].astype(int), minlength=3)
    assert counts.min() > 35


def test_a_file_of_configurations_is_read_and_dealt(tmp_path):
    path = tmp_path / "first.json"
    entries = [
        {"learner": "forest", "depth": 7},
        {"learner": "linear", "alpha": 0.01, "depth": 3},
        {"learner": "forest"},
    ]
    path.write_text(json.dumps(entries))
    space = small_space()
    first, second = (initial_design(space, str(path), rank, 2, 1) for rank in range(2))
    configurations = [dict(_configuration(space, vector)) for vector in (*first, *second)]
    assert configurations[0] == dict(space.get_default_configuration())
    assert configurations[2]["depth"] == 7
    assert "depth" not in configurations[1]
    assert configurations[1]["alpha"] == pytest.approx(0.01)


def _configuration(space, vector):
    from ConfigSpace import Configuration

    return Configuration(space, vector=vector)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"learner": "forest", "scaling": "minmax"}]', "forbidden"),
        ('[{"learner": "tree"}]', "not a legal value"),
        ('[{"lerner": "forest"}]', "not a hyperparameter"),
        ('{"learner": "forest"}', "list"),
        ("[", "not valid JSON"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path, content, said):
    path = tmp_path / "first.json"
    path.write_text(content)
    with pytest.raises(UserError, match=said):
        initial_design(small_space(), str(path), 0, 1, 1)


def test_a_kind_that_is_no_file_is_explained():
    with pytest.raises(UserError, match="default, portfolio, random, sobol"):
        initial_design(small_space(), "sobool", 0, 1, 1)


def mixed_profile(task_type: TaskType) -> Profile:
    kinds = (ColumnKind.NUMERICAL,) * 4 + (ColumnKind.CATEGORICAL,) * 4
    facts = {"n_rows": 500, "n_columns": 8, "n_outputs": 2, "kinds": kinds, "cardinalities": (0,) * 4 + (3,) * 4}
    return Profile(task_type, **facts, has_missing=True, is_sparse=False, is_nonnegative=False)


def test_a_space_with_one_learner_has_the_portfolio_of_that_learner():
    space = build_space(mixed_profile(TaskType.BINARY), include=["classifier:lightgbm"])
    vectors = initial_design(space.configspace, "portfolio", 0, 1, 1)
    described = [space.describe(vector) for vector in vectors]
    assert described[0].startswith("lightgbm")
    assert any("extra_trees=True" in text for text in described)


@pytest.mark.parametrize("task_type", [TaskType.BINARY, TaskType.REGRESSION])
def test_the_portfolio_is_valid_in_the_real_space_and_tries_every_learner(task_type):
    space = build_space(mixed_profile(task_type)).configspace
    vectors = np.array(initial_design(space, "portfolio", 0, 1, 1))
    for vector in vectors:
        space.check_configuration_vector_representation(vector)
    step = "classifier:__choice__" if task_type.is_classification else "regressor:__choice__"
    position = list(space).index(step)
    learners = vectors[:, position]
    for missing in set(range(int(space[step].size))) - set(learners.tolist()):
        column = vectors[:1].T.copy()
        column[position] = missing
        VectorSpace(space).apply_conditions(column)
        assert VectorSpace(space).is_forbidden(column)[0]
    if task_type.is_classification:
        assert len(vectors) >= 33 + len(set(learners.tolist())) - 7
        assert np.mean(learners[:46] == list(space[step].choices).index("gradient_boosting")) > 0.2


@pytest.mark.parametrize(
    ("task_type", "rows"), [(TaskType.REGRESSION, 20_000), (TaskType.REGRESSION, 20_001), (TaskType.BINARY, 500)]
)
def test_the_repository_s_portfolio_is_for_tables_of_its_size(task_type, rows):
    space = build_space(replace(mixed_profile(task_type), n_rows=rows))
    file = resources.files("mpi_automl.search") / "portfolios" / "regression.json"
    chosen = json.loads(file.read_text())["configurations"][0]["regressor:__choice__"]
    first = space.describe(initial_design(space.configspace, "portfolio", 0, 1, 1)[0])
    is_chosen = task_type is TaskType.REGRESSION and rows <= 20_000
    assert first.startswith(chosen if is_chosen else "lightgbm")


def test_ranks_legs_and_trials_have_their_own_seeds():
    states = {
        tuple(rank_seed(seed, rank, leg).generate_state(2))
        for seed in range(3)
        for rank in range(50)
        for leg in range(3)
    }
    assert len(states) == 450
    seeds = {trial_seed(1, TrialKey(0, rank, number)) for rank in range(50) for number in range(50)}
    assert len(seeds) == 2500
    assert min(seeds) >= 0
    assert max(seeds) < 2**31
    assert trial_seed(1, TrialKey(0, 2, 3)) == trial_seed(1, TrialKey(0, 2, 3))
