"""Metrics against scikit-learn's own functions, on float32 predictions as the package stores them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn.metrics as reference

from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError
from mpi_automl.metrics.metric import Metric, Needs, metric
from mpi_automl.metrics.registry import get_metric, metric_names

N_OUTPUTS = {"binary": 2, "multiclass": 4, "multilabel": 3, "regression": 1, "multioutput": 2}
EVERY_METRIC = [(task_type, name) for task_type in TaskType for name in metric_names(task_type)]


def sample(task_type: TaskType, n_rows: int = 300, seed: int = 0):
    rng = np.random.default_rng(seed)
    k = N_OUTPUTS[task_type.value]
    if task_type is TaskType.MULTILABEL:
        y = rng.integers(0, 2, (n_rows, k))
        y[np.arange(n_rows), rng.integers(0, k, n_rows)] = 1
        return y, np.clip(rng.random((n_rows, k)) + 0.3 * y, 0, 1).astype(np.float32)
    if task_type.is_classification:
        y = rng.integers(0, k, n_rows)
        predictions = rng.dirichlet(np.ones(k), n_rows) + 0.1 * np.eye(k)[y]
        return y, (predictions / predictions.sum(axis=1, keepdims=True)).astype(np.float32)
    y = rng.random((n_rows, k)) + 0.1
    predictions = (y * np.exp(0.2 * rng.normal(size=y.shape))).astype(np.float32)
    return (y[:, 0] if k == 1 else y), predictions


def perfect(y, task_type: TaskType):
    if task_type.is_classification and y.ndim == 1:
        return np.eye(N_OUTPUTS[task_type.value], dtype=np.float32)[y]
    return y.reshape(len(y), -1).astype(np.float32)


@pytest.mark.parametrize(("task_type", "name"), EVERY_METRIC)
def test_perfect_predictions_cost_nothing_and_others_more(task_type, name):
    y, predictions = sample(task_type)
    y = y.astype(np.float32).astype(y.dtype)
    chosen = get_metric(name, task_type)
    assert chosen.cost(y, perfect(y, task_type), task_type) == pytest.approx(0.0, abs=1e-5)
    assert chosen.cost(y, predictions, task_type) > 1e-4 or name == "top_5_accuracy"


@pytest.mark.parametrize(("task_type", "name"), EVERY_METRIC)
def test_cost_value_and_score_belong_together(task_type, name):
    y, predictions = sample(task_type)
    chosen = get_metric(name, task_type)
    value, cost = chosen.value(y, predictions, task_type), chosen.cost(y, predictions, task_type)
    assert chosen.value_of(cost) == pytest.approx(value)
    assert chosen.score(y, predictions, task_type) == (value if chosen.greater_is_better else -value)


@pytest.mark.parametrize(("task_type", "name"), EVERY_METRIC)
def test_a_metric_survives_pickling(task_type, name):
    chosen = get_metric(name, task_type)
    assert pickle.loads(pickle.dumps(chosen)) == chosen


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("accuracy", reference.accuracy_score),
        ("balanced_accuracy", reference.balanced_accuracy_score),
        ("matthews_corrcoef", reference.matthews_corrcoef),
        ("cohen_kappa", reference.cohen_kappa_score),
        ("f1_macro", lambda y, p: reference.f1_score(y, p, average="macro")),
    ],
)
@pytest.mark.parametrize("task_type", [TaskType.BINARY, TaskType.MULTICLASS])
def test_label_metrics_are_scikit_learns(task_type, name, function):
    y, predictions = sample(task_type)
    expected = function(y, predictions.argmax(axis=1))
    assert get_metric(name, task_type).value(y, predictions, task_type) == pytest.approx(expected)


def test_probability_metrics_are_scikit_learns_for_two_classes():
    task_type = TaskType.BINARY
    y, predictions = sample(task_type)
    for name, expected in {
        "log_loss": reference.log_loss(y, predictions.astype(float)),
        "brier_score": reference.brier_score_loss(y, predictions[:, 1]),
        "roc_auc": reference.roc_auc_score(y, predictions[:, 1]),
        "average_precision": reference.average_precision_score(y, predictions[:, 1]),
    }.items():
        assert get_metric(name, task_type).value(y, predictions, task_type) == pytest.approx(expected, abs=1e-6), name


def test_probability_metrics_are_scikit_learns_for_several_classes():
    task_type = TaskType.MULTICLASS
    y, predictions = sample(task_type)
    wide = predictions.astype(float)
    wide /= wide.sum(axis=1, keepdims=True)
    for name, expected in {
        "log_loss": reference.log_loss(y, wide),
        "roc_auc": reference.roc_auc_score(y, wide, multi_class="ovr"),
        "roc_auc_weighted": reference.roc_auc_score(y, wide, multi_class="ovr", average="weighted"),
        "roc_auc_ovo": reference.roc_auc_score(y, wide, multi_class="ovo"),
        "top_2_accuracy": reference.top_k_accuracy_score(y, wide, k=2),
        "average_precision": reference.average_precision_score(np.eye(4)[y], wide),
    }.items():
        assert get_metric(name, task_type).value(y, predictions, task_type) == pytest.approx(expected, abs=1e-6), name


def test_label_metrics_are_scikit_learns_for_several_labels():
    task_type = TaskType.MULTILABEL
    y, predictions = sample(task_type)
    decided = (predictions > 0.5).astype(int)
    for name, expected in {
        "accuracy": reference.accuracy_score(y, decided),
        "f1_samples": reference.f1_score(y, decided, average="samples", zero_division=1),
        "hamming_loss": reference.hamming_loss(y, decided),
        "roc_auc": reference.roc_auc_score(y, predictions),
    }.items():
        assert get_metric(name, task_type).value(y, predictions, task_type) == pytest.approx(expected, abs=1e-6), name


def test_no_label_where_none_belongs_is_right():
    y = np.array([[0, 0], [1, 0]])
    for name in ("f1_samples", "jaccard_samples"):
        chosen = get_metric(name, TaskType.MULTILABEL)
        assert chosen.cost(y, y.astype(np.float32), TaskType.MULTILABEL) == 0.0


def test_log_loss_stays_finite_for_certain_and_wrong_probabilities():
    y = np.array([0, 1, 1])
    wrong = np.array([[0, 1], [1, 0], [0, 1]], dtype=np.float32)
    value = get_metric("log_loss", TaskType.BINARY).value(y, wrong, TaskType.BINARY)
    assert value == pytest.approx(-2 / 3 * np.log(np.finfo(np.float32).eps), rel=1e-3)


def test_classes_without_rows_do_not_spoil_multiclass_metrics():
    _, predictions = sample(TaskType.MULTICLASS)
    y = np.random.default_rng(1).integers(0, 3, len(predictions))
    for name in metric_names(TaskType.MULTICLASS):
        assert np.isfinite(get_metric(name, TaskType.MULTICLASS).cost(y, predictions, TaskType.MULTICLASS)), name


def test_auc_is_not_defined_for_a_single_class():
    _, predictions = sample(TaskType.BINARY)
    value = get_metric("roc_auc", TaskType.BINARY).value(np.ones(len(predictions), int), predictions, TaskType.BINARY)
    assert np.isnan(value)


def test_predictions_that_are_not_finite_are_an_error():
    y, predictions = sample(TaskType.REGRESSION)
    predictions[3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        get_metric("r2", TaskType.REGRESSION).cost(y, predictions, TaskType.REGRESSION)


def test_names_that_stand_for_others():
    assert get_metric("auto", TaskType.MULTICLASS).name == "accuracy"
    assert get_metric("auto", TaskType.MULTILABEL).name == "f1_macro"
    assert get_metric("auto", TaskType.MULTIOUTPUT).name == "r2"
    assert get_metric("rmse", TaskType.REGRESSION).name == "root_mean_squared_error"
    assert get_metric("top_7_accuracy", TaskType.MULTICLASS).needs is Needs.PROBABILITIES


def test_any_quantile_level():
    y, predictions = sample(TaskType.REGRESSION)
    chosen = pickle.loads(pickle.dumps(get_metric("pinball_0.33", TaskType.REGRESSION)))
    expected = reference.mean_pinball_loss(y, predictions[:, 0], alpha=0.33)
    assert chosen.cost(y, predictions, TaskType.REGRESSION) == pytest.approx(expected)


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(UserError, match=r"did you mean balanced_accuracy\?"):
        get_metric("balanced_acuracy", TaskType.BINARY)


def test_a_metric_for_another_task_names_one_that_fits():
    with pytest.raises(UserError, match="f1_macro"):
        get_metric("f1", TaskType.MULTICLASS)
    with pytest.raises(UserError, match="regression"):
        get_metric("r2", TaskType.BINARY)


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    (tmp_path / "own_metrics.py").write_text(
        "import numpy as np\n"
        "from mpi_automl import metric\n"
        "@metric(task_types=['binary'], needs='thresholds', optimum=0.0, greater_is_better=False)\n"
        "def missed(y, probability):\n"
        "    return float((y * (1 - probability)).mean())\n"
        "def share_score(y, labels):\n"
        "    return float((y == labels).mean())\n"
        "def share_error(y, labels):\n"
        "    return float((y != labels).mean())\n"
        "def unclear(y, labels):\n"
        "    return 0.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("own_module")
def test_metrics_of_the_users_own():
    y, predictions = sample(TaskType.BINARY)
    declared = pickle.loads(pickle.dumps(get_metric("own_metrics:missed", TaskType.BINARY)))
    expected = np.mean(y * (1 - predictions[:, 1].astype(float)))
    assert declared.cost(y, predictions, TaskType.BINARY) == pytest.approx(expected)
    score = get_metric("own_metrics:share_score", TaskType.BINARY)
    error = get_metric("own_metrics:share_error", TaskType.BINARY)
    accuracy = get_metric("accuracy", TaskType.BINARY).cost(y, predictions, TaskType.BINARY)
    assert score.cost(y, predictions, TaskType.BINARY) == pytest.approx(accuracy)
    assert error.cost(y, predictions, TaskType.BINARY) == pytest.approx(accuracy)


@pytest.mark.usefixtures("own_module")
def test_mistakes_with_metrics_of_the_users_own():
    with pytest.raises(UserError, match="whether greater is better"):
        get_metric("own_metrics:unclear", TaskType.BINARY)
    with pytest.raises(UserError, match="cannot be imported"):
        get_metric("own_metrics:absent", TaskType.BINARY)
    with pytest.raises(UserError, match="PYTHONPATH"):
        get_metric("no_such_package:score", TaskType.BINARY)
    with pytest.raises(UserError, match="is for binary targets"):
        get_metric("own_metrics:missed", TaskType.REGRESSION)


def test_the_decorator_makes_a_metric():
    @metric(task_types=["regression"], optimum=0.0, greater_is_better=False)
    def bias(y, values):
        return abs(float((values - y).mean()))

    assert isinstance(bias, Metric)
    y, predictions = sample(TaskType.REGRESSION)
    expected = abs(float((predictions[:, 0].astype(float) - y).mean()))
    assert bias.cost(y, predictions, TaskType.REGRESSION) == pytest.approx(expected)
