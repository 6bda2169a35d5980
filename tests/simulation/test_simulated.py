"""Surrogate benchmarks and the evaluator that replays them."""

import time

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from mpi_automl.errors import UserError
from mpi_automl.simulation.evaluator import SimulatedEvaluator
from mpi_automl.simulation.surrogate_benchmark import Forest, RecordedBenchmark, SurrogateBenchmark, Trials
from mpi_automl.trial import Origin, Status, Trial, TrialKey

SPACE = ConfigurationSpace({"x": (0.0, 1.0), "y": (0.0, 1.0)})
LIMIT = 0.2


@pytest.fixture(scope="module")
def trials():
    """Cost and duration grow with x; above y = 0.9 trials crash, those that would be longest run out of time."""
    random = np.random.default_rng(0)
    vectors = random.random((300, 2))
    x, y = vectors.T
    statuses = np.where(y > 0.9, np.int8(Status.CRASHED), np.int8(Status.SUCCESS))
    return Trials(vectors, np.where(y > 0.9, np.nan, 0.1 + x), statuses, np.where(y > 0.9, 0.01, 0.02 + 0.1 * x))


@pytest.fixture(scope="module")
def benchmark(trials):
    return SurrogateBenchmark.fit("plane", "accuracy", str_json(), LIMIT, trials)


def str_json():
    import json

    return json.dumps(SPACE.to_serialized_dict())


def trial(number, *values):
    return Trial(TrialKey(0, 0, number), np.array(values), 1, Origin.RANDOM)


def test_a_forest_of_arrays_predicts_what_scikit_learn_predicts():
    from sklearn.ensemble import RandomForestRegressor

    random = np.random.default_rng(1)
    X, y = random.random((200, 5)), random.random(200)
    X[random.random(X.shape) < 0.3] = np.nan
    forest = Forest.fit(X, y, seed=3, trees=7)
    reference = RandomForestRegressor(7, max_features=0.5, random_state=3)
    reference.fit(np.where(np.isnan(X), -1, X).astype(np.float32), y)
    unseen = random.random((50, 5))
    assert forest.predict(unseen) == pytest.approx(reference.predict(unseen.astype(np.float32)), abs=1e-6)


def test_a_benchmark_knows_cost_duration_and_failure(benchmark):
    good, worse = benchmark.outcome(np.array([0.1, 0.5])), benchmark.outcome(np.array([0.9, 0.5]))
    assert good.status is Status.SUCCESS
    assert (good.cost, worse.cost) == pytest.approx((0.2, 1.0), rel=0.2)
    assert (good.seconds, worse.seconds) == pytest.approx((0.03, 0.11), rel=0.2)
    failed = benchmark.outcome(np.array([0.5, 0.99]))
    assert failed.status is Status.CRASHED
    assert np.isnan(failed.cost)
    assert benchmark.outcome(np.full(2, np.nan)).cost == pytest.approx(1.1, rel=0.02)


def test_a_trial_that_fails_near_the_limit_ran_out_of_time(trials):
    slow = Trials(trials.vectors, trials.costs, trials.statuses, np.where(np.isnan(trials.costs), LIMIT, 0.01))
    made = SurrogateBenchmark.fit("plane", "accuracy", str_json(), LIMIT, slow)
    assert made.outcome(np.array([0.5, 0.99])).status is Status.TIMEOUT


def test_a_benchmark_is_the_same_after_saving(benchmark, tmp_path):
    benchmark.save(tmp_path / "plane.npz")
    loaded = SurrogateBenchmark.load(tmp_path / "plane.npz")
    assert loaded.configspace == SPACE
    assert (loaded.name, loaded.metric, loaded.limit) == ("plane", "accuracy", LIMIT)
    for vector in np.random.default_rng(2).random((20, 2)):
        assert str(loaded.outcome(vector)) == str(benchmark.outcome(vector))


def test_mistakes_are_told(trials, tmp_path):
    with pytest.raises(UserError, match="is no surrogate benchmark"):
        SurrogateBenchmark.load(tmp_path / "missing.npz")
    without = Trials(trials.vectors, np.full(300, np.nan), trials.statuses, trials.seconds)
    with pytest.raises(UserError, match="no two trials with a cost"):
        SurrogateBenchmark.fit("plane", "accuracy", str_json(), LIMIT, without)
    with pytest.raises(UserError, match="was not recorded"):
        RecordedBenchmark(trials).outcome(np.array([0.123, 0.456]))
    with pytest.raises(ValueError, match="scale of time"):
        SimulatedEvaluator(RecordedBenchmark(trials), -1.0)


def test_recorded_trials_are_replayed_exactly(trials):
    replay = RecordedBenchmark(trials)
    found = [replay.outcome(vector) for vector in trials.vectors]
    np.testing.assert_array_equal([outcome.cost for outcome in found], trials.costs)
    assert [outcome.seconds for outcome in found] == trials.seconds.tolist()


def test_trials_come_one_after_the_other_and_take_their_time(benchmark):
    with SimulatedEvaluator(benchmark, scale=2.0) as evaluator:
        began = time.time()
        evaluator.submit(trial(0, 0.9, 0.5), seconds=5.0, memory=100.0)
        assert evaluator.can_submit
        evaluator.submit(trial(1, 0.1, 0.5), seconds=5.0, memory=100.0)
        assert not evaluator.can_submit
        with pytest.raises(RuntimeError, match="one is waiting"):
            evaluator.submit(trial(2, 0.1, 0.5), seconds=5.0, memory=100.0)
        assert evaluator.poll() == []
        results = [result for _ in range(2) for result in evaluator.poll(10.0)]
    lasted = time.time() - began
    assert [result.trial.key.number for result in results] == [0, 1]
    assert results[0].end <= results[1].start
    assert sum(result.end - result.start for result in results) == pytest.approx(2 * evaluator.seconds)
    assert lasted >= 2 * evaluator.seconds - 1e-3
    assert results[0].cost == benchmark.outcome(np.array([0.9, 0.5])).cost


def test_limits_hold_in_wall_time(benchmark):
    evaluator = SimulatedEvaluator(benchmark)
    evaluator.submit(trial(0, 0.9, 0.5), seconds=0.05, memory=100.0)
    (result,) = evaluator.poll(10.0)
    assert result.status is Status.TIMEOUT
    assert np.isnan(result.cost)
    assert result.end - result.start == pytest.approx(0.05)


def test_without_scale_nothing_is_waited_for(benchmark):
    evaluator = SimulatedEvaluator(benchmark, scale=0.0)
    for number in range(500):
        evaluator.submit(trial(number, 0.9, 0.5), seconds=1e-9, memory=100.0)
        (result,) = evaluator.poll()
        assert result.has_cost
        assert result.end == result.start
    assert evaluator.seconds == pytest.approx(500 * benchmark.outcome(np.array([0.9, 0.5])).seconds)


def test_cancelled_trials_come_as_stopped(benchmark):
    evaluator = SimulatedEvaluator(benchmark, scale=1000.0)
    for number in range(2):
        evaluator.submit(trial(number, 0.5, 0.5), seconds=1e6, memory=100.0)
    evaluator.cancel()
    results = evaluator.poll(10.0)
    assert [result.status for result in results] == [Status.STOPPED] * 2
    assert evaluator.seconds < 1.0
    assert evaluator.can_submit
