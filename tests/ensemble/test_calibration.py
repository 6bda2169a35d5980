"""Temperature scaling: what it repairs, what it leaves alone, and where it is not used."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ensemble_candidates import candidates
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.build import Candidates, build_ensemble
from mpi_automl.ensemble.calibration import calibrate
from mpi_automl.ensemble.combination import Calibrated, combine, from_mapping
from mpi_automl.ensemble.greedy import GreedyOptions
from mpi_automl.ensemble.scaling import LogitScaling, softmax
from mpi_automl.errors import UserError
from mpi_automl.metrics.registry import get_metric
from mpi_automl.trial import TrialKey

BINARY, MULTICLASS = TaskType.BINARY, TaskType.MULTICLASS


def metric(name, task_type=BINARY):
    return get_metric(name, task_type)


def sample(n_rows=2000, n_classes=2, seed=0):
    """True probabilities, and classes drawn from them."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(1.5 * rng.normal(size=(n_rows, n_classes)))
    y = (probabilities.cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1)
    return probabilities, y


@pytest.mark.parametrize("distortion", [LogitScaling(0.3), LogitScaling(3.0), LogitScaling(20.0)])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "log_loss"])
def test_a_wrong_temperature_is_found(distortion, n_classes, name):
    task_type = BINARY if n_classes == 2 else MULTICLASS
    truth, y = sample(n_classes=n_classes)
    scaling = calibrate(distortion(truth), y, metric(name, task_type), task_type, seed=0)
    assert scaling.temperature == pytest.approx(1.0 / distortion.temperature, rel=0.15)
    np.testing.assert_allclose(scaling(distortion(truth)), truth, atol=0.06)


def test_class_weights_are_undone_where_the_metric_sees_no_decisions():
    truth, y = sample()
    weighted = LogitScaling(1.0, (0.0, 1.5))(truth)
    log_loss = metric("log_loss")
    for name in ("roc_auc", "log_loss", "brier_score", "average_precision"):
        scaling = calibrate(weighted, y, metric(name), BINARY, seed=0)
        assert scaling.biases[1] == pytest.approx(-1.5, abs=0.2)
        assert log_loss.cost(y, scaling(weighted), BINARY) < log_loss.cost(y, truth, BINARY) + 0.002
    for name in ("accuracy", "balanced_accuracy", "f1"):
        scaling = calibrate(weighted, y, metric(name), BINARY, seed=0)
        assert scaling is None or scaling.biases == ()


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 20.0), st.floats(-3.0, 3.0), st.integers(0, 1000))
def test_two_classes_keep_the_order_of_rows_and_several_the_most_probable(temperature, bias, seed):
    two, y = sample(200, 2, seed)
    scaled = LogitScaling(temperature, (0.0, bias))(two)
    assert scaled.sum(axis=1) == pytest.approx(1.0)
    # Both columns, as a probability next to 1 is rounded.
    assert (np.diff(scaled[two[:, 1].argsort(), 1]) >= 0.0).all()
    assert (np.diff(scaled[two[:, 0].argsort(), 0]) >= 0.0).all()
    five, _ = sample(200, 5, seed)
    scaled = LogitScaling(temperature)(five)
    assert (scaled.argmax(axis=1) == five.argmax(axis=1)).all()
    assert (LogitScaling(temperature)(two).argmax(axis=1) == two.argmax(axis=1)).all()
    if 0.3 < temperature < 3.0:
        auc = metric("roc_auc")
        assert auc.cost(y, LogitScaling(temperature, (0.0, bias))(two), BINARY) == pytest.approx(
            auc.cost(y, two, BINARY)
        )


def test_probabilities_of_0_and_1_stay_finite():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    sure = np.eye(2)[np.where(rng.random(300) < 0.1, 1 - y, y)]
    scaling = calibrate(sure, y, metric("log_loss"), BINARY, seed=0)
    scaled = scaling(sure)
    assert np.isfinite(scaled).all()
    assert 0.8 < scaled.max() < 0.96
    assert LogitScaling(0.05)(sure) == pytest.approx(sure)


def test_what_is_calibrated_already_stays_as_it_is():
    kept = 0
    for seed in range(20):
        truth, y = sample(100, 3, seed)
        scaling = calibrate(truth, y, metric("log_loss", MULTICLASS), MULTICLASS, seed)
        kept += scaling is None
        if scaling is not None:
            assert 0.6 < scaling.temperature < 1.6
    assert kept >= 10


def test_few_rows_and_other_targets_are_not_calibrated():
    truth, y = sample(40)
    assert calibrate(LogitScaling(5.0)(truth), y, metric("log_loss"), BINARY, seed=0) is None
    for task_type in (TaskType.MULTILABEL, TaskType.REGRESSION, TaskType.MULTIOUTPUT):
        y, predictions = candidates(task_type)
        assert calibrate(predictions[0].astype(float), y, get_metric("auto", task_type), task_type, seed=0) is None


def test_the_metric_of_the_run_does_not_get_worse():
    for seed in range(4):
        truth, y = sample(300, 4, seed)
        distorted = LogitScaling(0.2)(truth + np.random.default_rng(seed).dirichlet(np.ones(4), 300))
        for name in ("roc_auc", "accuracy", "balanced_accuracy", "brier_score", "roc_auc_ovo", "top_2_accuracy"):
            own = metric(name, MULTICLASS)
            scaling = calibrate(distorted, y, own, MULTICLASS, seed)
            if scaling is not None:
                assert own.cost(y, scaling(distorted), MULTICLASS) <= own.cost(y, distorted, MULTICLASS) + 1e-6


@pytest.mark.parametrize("method", ["greedy", "single_best"])
@pytest.mark.parametrize("name", ["roc_auc", "accuracy", "log_loss"])
def test_an_ensemble_is_calibrated_and_survives_json(method, name):
    truth, y = sample(600)
    rng = np.random.default_rng(1)
    noisy = softmax(np.log(truth) + rng.normal(size=(5, 600, 2)).astype(np.float32)).astype(np.float32)
    squeezed = np.array([LogitScaling(8.0)(member) for member in noisy], dtype=np.float32)
    keys = tuple(TrialKey(0, 0, number) for number in range(5))
    by_key = dict(zip(keys, squeezed, strict=True))
    ensemble = build_ensemble(Candidates(keys, squeezed), y, metric(name), BINARY, GreedyOptions(bags=4), method)
    combination = ensemble.combination
    assert isinstance(combination, Calibrated)
    combined, plain = combine(combination, by_key), combine(combination.combination, by_key)
    log_loss = metric("log_loss")
    assert log_loss.cost(y, combined, BINARY) < 0.9 * log_loss.cost(y, plain, BINARY)
    assert metric(name).cost(y, combined, BINARY) == pytest.approx(ensemble.cost)
    restored = from_mapping(json.loads(json.dumps(combination.to_mapping())))
    assert np.array_equal(combine(restored, by_key), combined)
    assert restored.weights == ensemble.weights


def test_the_order_of_candidates_does_not_change_the_scaling():
    y, predictions = candidates(BINARY, n_candidates=9)
    keys = [TrialKey(0, 0, number) for number in range(9)]
    found = []
    for order in (range(9), range(8, -1, -1)):
        some = Candidates(tuple(keys[i] for i in order), predictions[list(order)])
        found.append(build_ensemble(some, y, metric("roc_auc"), BINARY, GreedyOptions(bags=4)))
    assert found[0].combination == found[1].combination
    assert found[0].cost == found[1].cost


@pytest.mark.parametrize("broken", [{}, {"temperature": 0.0, "biases": []}, {"temperature": "nan", "biases": []}, 3])
def test_a_damaged_calibration_is_one_sentence(broken):
    with pytest.raises(UserError, match="damaged"):
        from_mapping({"kind": "mean", "weights": {"0-0-1": 1.0}, "calibration": broken})
