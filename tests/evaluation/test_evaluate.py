"""The evaluation of one configuration, without any process around it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from setups import make_setup, table
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from mpi_automl.evaluation.evaluate import Assignment, evaluate, refit
from mpi_automl.evaluation.setup import training_rows_first
from mpi_automl.evaluation.trial_status import TimeLimitError
from mpi_automl.metrics.metric import metric
from mpi_automl.metrics.registry import get_metric
from mpi_automl.space.component import StagedFitting
from mpi_automl.space.predictions import UnusablePredictionsError
from mpi_automl.trial import Status

FIRST = np.array([0.0])


def assignment(**options):
    return Assignment(FIRST, 3, **{"deadline": time.monotonic() + 60.0, **options})


class WritesToItsTable(ClassifierMixin, BaseEstimator):
    """Shifts its rows in place."""

    def fit(self, X, y):
        X += 1.0
        self.classes_ = np.unique(y)
        self.mean_ = X.mean()
        return self

    def predict_proba(self, X):
        return np.tile([0.25, 0.75], (len(X), 1))


class Slow(ClassifierMixin, BaseEstimator):
    """Takes a hundredth of a second for each unit of its size, and gets better with it."""

    def __init__(self, size: int = 1, warm_start: bool = True) -> None:
        self.size = size
        self.warm_start = warm_start

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        time.sleep(0.01 * (self.size - getattr(self, "reached_", 0)))
        self.reached_ = self.size
        return self

    def predict_proba(self, X):
        second = (X[:, 0] > 1.0 / self.reached_).astype(float)
        return np.column_stack([1.0 - second, second])


def by_hand(setup, learner):
    """Out-of-fold predictions and averaged test predictions."""
    task = setup.task
    total = np.zeros((len(task.y), task.profile.n_outputs))
    count = np.zeros(len(task.y))
    test = []
    for fold in setup.resampling.folds:
        learner.fit(task.X[fold.train], task.y[fold.train])
        total[fold.validation] += learner.predict_proba(task.X[fold.validation])
        count[fold.validation] += 1
        test.append(learner.predict_proba(task.X_test))
    rows = setup.resampling.validation_rows
    return (total[rows] / count[rows, None]).astype(np.float32), np.mean(test, axis=0).astype(np.float32)


@pytest.mark.parametrize("resampling", ["holdout", "cv", "repeated-cv", "time-series"])
def test_predictions_are_out_of_fold_in_row_order(resampling):
    setup = make_setup(LogisticRegression(), task=table(n_test=30, n_classes=3), resampling=resampling)
    outcome = evaluate(setup, assignment())
    predictions, test_predictions = by_hand(setup, LogisticRegression(random_state=3))
    assert np.allclose(outcome.predictions, predictions, atol=1e-6)
    assert np.allclose(outcome.test_predictions, test_predictions, atol=1e-6)
    assert len(outcome.models) == len(setup.resampling.folds)
    y = setup.task.y[setup.resampling.validation_rows]
    assert outcome.cost == setup.metric.cost(y, outcome.predictions, setup.task.type)


def test_laying_training_rows_first_changes_nothing_but_the_place():
    setup = make_setup(DecisionTreeClassifier(), task=table(n_test=10))
    moved = training_rows_first(setup)
    train = moved.resampling.folds[0].train
    assert np.array_equal(train, np.arange(len(train)))
    before, after = evaluate(setup, assignment()), evaluate(moved, assignment())
    assert np.array_equal(before.predictions, after.predictions)
    assert np.array_equal(before.test_predictions, after.test_predictions)
    assert before.cost == after.cost


def test_several_folds_stay_where_they_are():
    setup = make_setup(DecisionTreeClassifier(), resampling="cv")
    assert training_rows_first(setup) is setup


def test_learner_that_writes_gets_a_copy():
    setup = training_rows_first(make_setup(WritesToItsTable()))
    setup.task.X.flags.writeable = False
    before = setup.task.X.copy()
    outcome = evaluate(setup, assignment())
    assert outcome.status is Status.SUCCESS
    assert np.array_equal(setup.task.X, before)


def test_further_metrics():
    setup = make_setup(LogisticRegression())
    metrics = (get_metric("log_loss", setup.task.type), get_metric("roc_auc", setup.task.type))
    outcome = evaluate(replace(setup, extra_metrics=metrics), assignment())
    y = setup.task.y[setup.resampling.validation_rows]
    assert outcome.scores == {m.name: m.score(y, outcome.predictions, setup.task.type) for m in metrics}
    assert outcome.scores["log_loss"] < 0 < outcome.scores["roc_auc"]


def test_cost_that_is_no_number_is_a_failure():
    setup = make_setup(LogisticRegression())
    nothing = replace(setup.metric, name="nothing", function=lambda y, predictions: float("nan"))
    with pytest.raises(UnusablePredictionsError, match="nothing of the predictions is nan"):
        evaluate(replace(setup, metric=nothing), assignment())


def test_staged_fitting_ends_where_one_fit_would():
    task = table(400)
    staged = make_setup((RandomForestClassifier(warm_start=True), StagedFitting("n_estimators", 37)), task=task)
    whole = make_setup(RandomForestClassifier(37), task=task)
    assert np.allclose(evaluate(staged, assignment()).predictions, evaluate(whole, assignment()).predictions, atol=1e-6)


def test_staged_histogram_boosting_ends_where_one_fit_would():
    task = table(400)
    learner = HistGradientBoostingClassifier(warm_start=True, early_stopping=False)
    with threadpool_limits(1):
        staged = evaluate(make_setup((learner, StagedFitting("max_iter", 20)), task=task), assignment())
        whole = evaluate(make_setup(HistGradientBoostingClassifier(max_iter=20), task=task), assignment())
    assert np.allclose(staged.predictions, whole.predictions, atol=1e-6)


def test_staged_fitting_without_a_deadline_ends_at_the_full_size():
    for maximum in (1, 37, 512):
        learner = RandomForestClassifier(warm_start=True, max_depth=1), StagedFitting("n_estimators", maximum)
        outcome = evaluate(make_setup(learner), assignment(deadline=np.inf))
        assert outcome.reason == ""
        assert outcome.models[0].steps[-1][1].n_estimators == maximum


@pytest.mark.parametrize("warm_start", [True, False])
def test_staged_fitting_ends_in_time_and_says_so(warm_start):
    setup = make_setup((Slow(warm_start=warm_start), StagedFitting("size", 10_000)))
    frames = []
    outcome = evaluate(setup, assignment(deadline=time.monotonic() + 0.8), frames.append)
    assert outcome.status is Status.SUCCESS
    assert outcome.reason.startswith("time limit: stopped at size=")
    assert frames
    assert frames[-1].predictions.shape == outcome.predictions.shape
    assert outcome.cost <= frames[0].cost


def test_refit_takes_all_rows():
    setup = make_setup(DecisionTreeClassifier())
    pipeline, note = refit(setup, assignment())
    assert note == ""
    assert np.array_equal(pipeline.predict(setup.task.X), setup.task.y)


def test_smaller_budget_takes_fewer_rows():
    setup = make_setup(DecisionTreeClassifier())
    whole, part = evaluate(setup, assignment()), evaluate(setup, assignment(budget=0.25))
    n_train = len(setup.resampling.folds[0].train)
    assert whole.models[0][-1].tree_.n_node_samples[0] == n_train
    assert part.models[0][-1].tree_.n_node_samples[0] == round(n_train / 4)
    assert whole.predictions.shape == part.predictions.shape


def test_a_trial_far_behind_is_given_up_after_a_fold_and_keeps_the_cost_of_that():
    setup = make_setup((DecisionTreeClassifier(max_depth=1), None), resampling="cv")
    whole = evaluate(setup, assignment())
    pruned = evaluate(setup, assignment(prune_above=whole.cost / 10))
    assert pruned.status is Status.PRUNED
    assert pruned.predictions is None
    assert not pruned.models
    assert pruned.reason == "pruned after 1 of 5 folds"
    assert 0 < pruned.cost < 1
    assert evaluate(setup, assignment(prune_above=1.0)).cost == whole.cost


def test_a_trial_whose_first_fold_takes_too_long_is_given_up():
    class Sleeper(DecisionTreeClassifier):
        def fit(self, X, y):
            time.sleep(0.4)
            return super().fit(X, y)

    setup = make_setup((Sleeper(), None), resampling="cv")
    started = time.monotonic()
    with pytest.raises(TimeLimitError, match="1 of 5 folds took"):
        evaluate(setup, assignment(deadline=started + 0.9))


def test_a_metric_that_fails_on_a_fold_prunes_nothing():
    @metric(task_types=["binary"])
    def of_many_rows(y, labels):
        if len(y) < 200:
            raise ZeroDivisionError
        return float((y == labels).mean())

    setup = replace(make_setup((DecisionTreeClassifier(max_depth=1), None), resampling="cv"), metric=of_many_rows)
    assert evaluate(setup, assignment(prune_above=0.0)).status is Status.SUCCESS
