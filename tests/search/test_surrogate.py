"""Encoding, forest and acquisition function give what SMAC's own give."""

from __future__ import annotations

import numpy as np
import pytest
from search_spaces import large_space
from smac import Scenario
from smac.acquisition.function import EI
from smac.model.random_forest.random_forest import EPMRandomForest, RandomForest
from smac.runhistory import TrialInfo, TrialValue
from smac.runhistory.encoder import RunHistoryLogScaledEncoder
from smac.runhistory.runhistory import RunHistory
from smac.runner.abstract_runner import StatusType

from mpi_automl.search.acquisition import log_expected_improvement
from mpi_automl.search.encoding import Imputer, LogScale, learned_budget, observed_costs
from mpi_automl.search.surrogate import Surrogate
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.trial import Status


@pytest.fixture(scope="module")
def space() -> VectorSpace:
    return VectorSpace(large_space())


@pytest.fixture(scope="module")
def configurations(space: VectorSpace) -> list:
    return space.space.sample_configuration(200)


@pytest.fixture(scope="module")
def vectors(configurations: list) -> np.ndarray:
    return np.array([configuration.get_array() for configuration in configurations])


@pytest.fixture(scope="module")
def costs(vectors: np.ndarray) -> np.ndarray:
    return 0.1 + np.nan_to_num(vectors, nan=0.3)[:, :20].sum(axis=1) / 20 + 0.05 * np.random.default_rng(0).random(200)


def test_inactive_hyperparameters_are_imputed_as_by_smac(space, vectors):
    theirs = RandomForest(space.space)._impute_inactive(vectors)
    ours = Imputer(space)(vectors)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, theirs.astype(np.float32))


def test_costs_are_scaled_as_by_smac(space, configurations, costs, tmp_path):
    history = RunHistory()
    for configuration, cost in zip(configurations, costs, strict=True):
        history.add_trial(TrialInfo(configuration, seed=0), TrialValue(cost, status=StatusType.SUCCESS))
    encoder = RunHistoryLogScaledEncoder(Scenario(space.space, deterministic=True, output_directory=tmp_path))
    encoder.runhistory = history
    _, theirs = encoder.transform()
    scale = LogScale.of(costs)
    np.testing.assert_allclose(scale.encode(costs), theirs[:, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(scale.decode(scale.encode(costs)), costs)


@pytest.mark.parametrize(
    "costs", [np.array([0.5, 0.5]), np.array([0.0]), np.array([1e-300, 1e300]), np.array([-3, 4.0])]
)
def test_costs_of_any_size_are_scaled_to_finite_values(costs):
    assert np.isfinite(LogScale.of(costs).encode(costs)).all()


def test_failed_trials_get_the_highest_cost_of_a_success():
    failures = (Status.CRASHED, Status.TIMEOUT, Status.MEMOUT)
    statuses = np.array([Status.SUCCESS, Status.SUCCESS, *failures, Status.STOPPED])
    seen = observed_costs(np.array([0.2, 0.6, np.nan, 9.0, np.nan, 0.1]), statuses)
    np.testing.assert_array_equal(seen, [0.2, 0.6, 0.6, 0.6, 0.6, np.nan])
    assert np.isnan(observed_costs(np.array([np.nan]), np.array([Status.CRASHED]))).all()
    np.testing.assert_array_equal(observed_costs(np.array([0.3, np.inf]), np.array([1, 1])), [0.3, 0.3])


def test_the_forest_predicts_what_smacs_forest_predicts(space, vectors, costs):
    table, targets = Imputer(space)(vectors), LogScale.of(costs).encode(costs)
    options = {"min_samples_split": 2, "min_samples_leaf": 1, "min_impurity_decrease": 1e-8}
    smac = EPMRandomForest(10, log_y=True, max_features=1.0, bootstrap=True, random_state=7, **options)
    smac.fit(table, targets)
    ours = Surrogate(7, max_features=1.0).fit(table, targets)
    new = Imputer(space)(space.sample(500, np.random.RandomState(0)))
    mean, variance = ours.predict(new)
    their_mean, their_variance = smac.predict(new)
    np.testing.assert_allclose(mean, their_mean[:, 0])
    np.testing.assert_allclose(variance, np.maximum(their_variance[:, 0], 1e-10), atol=1e-12)
    np.testing.assert_allclose(ours.known_means, smac.predict(table)[0][:, 0])


@pytest.mark.slow
def test_the_forest_is_as_good_as_the_one_of_smacs_facade(space, vectors, costs):
    targets = LogScale.of(costs).encode(costs)
    train, test = slice(0, 150), slice(150, 200)
    facade = {"log_y": True, "ratio_features": 1.0, "min_samples_split": 2, "min_samples_leaf": 1, "n_jobs": 1}

    def error(predicted: np.ndarray) -> float:
        return float(np.mean((predicted.ravel() - targets[test]) ** 2))

    theirs, ours = [], []
    for seed in range(2):
        forest = RandomForest(space.space, seed=seed, **facade).train(vectors[train], targets[train, None])
        theirs.append(error(forest.predict_marginalized(vectors[test])[0]))
        table = Imputer(space)(vectors)
        ours.append(error(Surrogate(seed, max_features=1.0).fit(table[train], targets[train]).predict(table[test])[0]))
    assert np.mean(ours) < 1.1 * np.mean(theirs)


def test_expected_improvement_is_smacs():
    class Fixed:
        def predict_marginalized(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return X[:, :1].copy(), X[:, 1:].copy()

    rng = np.random.default_rng(0)
    mean, variance = rng.normal(-2, 1, 500), rng.exponential(0.3, 500) + 1e-6
    smac = EI(log=True)
    smac.update(model=Fixed(), eta=-2.5)
    ours = log_expected_improvement(mean, variance, -2.5)
    np.testing.assert_allclose(ours, smac._compute(np.column_stack([mean, variance]))[:, 0], rtol=1e-9, atol=1e-15)


def test_expected_improvement_is_never_negative():
    values = log_expected_improvement(np.linspace(-20, 5, 2000), np.full(2000, 1e-10), -3.0)
    assert (values >= 0).all()
    assert values[0] > 0


def test_trees_of_their_own_subsets_know_all_and_predict_alike(space, vectors, costs):
    table, targets = Imputer(space)(vectors), LogScale.of(costs).encode(costs)
    rng = np.random.default_rng(0)
    subsets = [rng.choice(200, 150, replace=False) for _ in range(10)]
    whole, parts = Surrogate(1).fit(table, targets), Surrogate(1).fit(table, targets, subsets)
    assert parts.known_means.shape == (200,)
    assert np.corrcoef(parts.known_means, targets)[0, 1] > 0.8
    new = Imputer(space)(space.sample(500, np.random.RandomState(0)))
    assert np.corrcoef(whole.predict(new)[0], parts.predict(new)[0])[0, 1] > 0.8


def test_costs_of_one_budget_are_learned_from_the_highest_with_enough_trials():
    low, high = 1 / 3, 1.0
    assert learned_budget(np.array([low] * 20 + [high] * 9)) == low
    assert learned_budget(np.array([low] * 20 + [high] * 10)) == high
    assert learned_budget(np.array([low] * 5 + [high] * 5)) == high
    assert learned_budget(np.array([low] * 5 + [high] * 4)) == low


def test_failures_with_less_count_and_costs_of_other_budgets_do_not():
    costs = np.array([0.9, 0.8, 0.2, 0.3, np.nan, np.nan, np.nan])
    statuses = np.array([Status.SUCCESS] * 4 + [Status.CRASHED, Status.TIMEOUT, Status.STOPPED])
    budgets = np.array([0.1, 0.1, 1.0, 1.0, 0.1, 1.0, 1.0])
    np.testing.assert_array_equal(
        observed_costs(costs, statuses, budgets), [np.nan, np.nan, 0.2, 0.3, 0.3, 0.3, np.nan]
    )
    np.testing.assert_array_equal(
        observed_costs(costs[[0, 1, 5]], statuses[[0, 1, 5]], budgets[[0, 1, 5]]), [0.9, 0.8, np.nan]
    )
