"""What a smaller budget means: nested, stratified rows, or fewer iterations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from setups import make_setup, table
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from mpi_automl.evaluation.budget import nested_subset
from mpi_automl.evaluation.evaluate import Assignment, evaluate, refit
from mpi_automl.space.component import StagedFitting

FIRST = np.array([0.0])
ROWS = np.arange(1000, 3000, 2)


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_smaller_shares_lie_within_larger_ones(kind):
    rng = np.random.default_rng(0)
    y = {
        "classes": rng.integers(3, size=1000),
        "labels": rng.integers(2, size=(1000, 2)),
        "values": rng.normal(size=1000),
    }
    parts = [nested_subset(ROWS, y[kind], share) for share in (0.01, 0.1, 1 / 3, 0.5, 1.0)]
    assert [len(part) for part in parts] == [10, 100, 333, 500, 1000]
    for smaller, larger in zip(parts, parts[1:], strict=False):
        assert set(smaller) < set(larger)
    assert all((np.diff(part) > 0).all() for part in parts)
    assert np.array_equal(parts[1], nested_subset(ROWS, y[kind], 0.1))


def test_classes_keep_their_proportions_and_rare_ones_their_place():
    y = np.repeat([0, 1, 2], [900, 97, 3])
    np.random.default_rng(0).shuffle(y)
    for share in (0.05, 0.1, 0.3):
        chosen = y[np.searchsorted(ROWS, nested_subset(ROWS, y, share))]
        counts = np.bincount(chosen, minlength=3)
        assert np.abs(counts - share * np.array([900, 97, 3])).max() <= 2
        assert counts.min() >= 1


def test_iterations_are_a_budget_for_staged_fitting_and_rows_for_the_others():
    staged = (RandomForestClassifier(warm_start=True, random_state=0), StagedFitting("n_estimators", 40))
    setup = replace(make_setup(staged, DecisionTreeClassifier(), task=table(400)), fidelity="iterations")
    n_train = len(setup.resampling.folds[0].train)
    part = evaluate(setup, Assignment(FIRST, 3, budget=0.25))
    assert len(part.models[0][-1].estimators_) == 10
    assert part.reason == ""
    tree = evaluate(setup, Assignment(FIRST + 1, 3, budget=0.25)).models[0][-1]
    assert tree.tree_.n_node_samples[0] == round(n_train / 4)
    by_rows = evaluate(replace(setup, fidelity="rows"), Assignment(FIRST, 3, budget=0.25)).models[0][-1]
    assert len(by_rows.estimators_) == 40
    assert by_rows.estimators_samples_[0].max() < round(n_train / 4)
    assert part.predictions.shape == (len(setup.resampling.validation_rows), 2)


def test_a_member_is_fitted_anew_with_the_full_budget():
    pipeline, _ = refit(make_setup(DecisionTreeClassifier()), Assignment(FIRST, 3, budget=0.1))
    assert pipeline[-1].tree_.n_node_samples[0] == 300


@pytest.mark.parametrize("warm_start", [True, False])
def test_without_staged_fitting_there_are_full_size_and_no_partial_predictions(warm_start):
    learner = RandomForestClassifier(7, warm_start=warm_start, random_state=0)
    setup = replace(make_setup((learner, StagedFitting("n_estimators", 20))), staged_fitting=False)
    frames = []
    outcome = evaluate(setup, Assignment(FIRST, 3, deadline=0.0), frames.append)
    assert len(outcome.models[0][-1].estimators_) == 20
    assert (frames, outcome.reason) == ([], "")
