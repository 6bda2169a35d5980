"""Which trials end early: the threshold of the incumbent, whoever has found it and in whichever leg."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from setups import make_setup, table, trial
from sklearn.linear_model import LogisticRegression

from mpi_automl.evaluation.evaluate import Assignment, evaluate
from mpi_automl.job.early_stopping import EarlyStopping, earlier_incumbent, threshold_of
from mpi_automl.storage.kept_models import KeptModels, ModelsBound
from mpi_automl.storage.layout import StoreLayout
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Origin, Result, Status, TrialKey, TrialUpdate

COSTS = (0.2, 0.5, 0.3, 0.1, 0.4)


def news(cost, threshold, status=Status.SUCCESS, budget=1.0):
    return TrialUpdate(TrialKey(0, 1, 0), status, cost, Origin.MODEL, budget, 1.0, np.zeros(2), threshold)


def test_the_rules_are_those_of_the_paper():
    assert threshold_of("forgiving", COSTS) == 0.5
    assert threshold_of("aggressive", COSTS) == pytest.approx(0.3)
    assert threshold_of("none", COSTS) == np.inf
    assert threshold_of("aggressive", COSTS[:1]) == np.inf


def test_the_best_whole_trial_with_the_full_budget_sets_the_threshold():
    stopping = EarlyStopping("forgiving")
    assert stopping.threshold == np.inf
    for one in (news(0.5, 0.8), news(0.3, 0.7), news(0.4, 0.1)):
        stopping.note(one)
    for no_incumbent in (news(0.1, 0.2, Status.PRUNED), news(np.nan, 0.2, Status.CRASHED), news(0.1, 0.2, budget=0.5)):
        stopping.note(no_incumbent)
    assert stopping.threshold == 0.7
    assert stopping.threshold_for(1.0) == 0.7
    assert stopping.threshold_for(0.5) == np.inf
    assert EarlyStopping("forgiving", news(0.3, 0.7)).threshold == 0.7


def test_a_pruned_trial_takes_no_place_among_the_kept_models(tmp_path):
    kept = KeptModels(tmp_path, ModelsBound(1))
    for number, status, cost in ((0, Status.SUCCESS, 0.5), (1, Status.PRUNED, 0.1)):
        one = trial(number, 0)
        kept.threshold_for(one)
        (tmp_path / "0-0-0.skops").touch()
        kept.note(Result(one, status, cost, 0.0, 1.0))
    assert kept.threshold_for(trial(2, 0)) == 0.5
    assert kept.is_complete
    assert (tmp_path / "0-0-0.skops").exists()


def stored(setup, outcomes, directory):
    """A finished leg with these outcomes; the first one's trial is the dummy."""
    rows = setup.resampling.validation_rows
    facts = {"space": "{}", "truth": setup.task.y[rows], "validation_rows": rows}
    layout = StoreLayout(1, len(outcomes), 10, len(rows), 0, setup.task.profile.n_outputs, 1)
    store = create_store(directory, 0, layout, facts)
    for number, outcome in enumerate(outcomes):
        one = replace(trial(number, 0), origin=Origin.MODEL if number else Origin.DUMMY)
        store.write(Result(one, outcome.status, outcome.cost, 0.0, 1.0, outcome.predictions))
    store.close()
    return RunReader(directory)


def test_a_resumed_run_knows_the_threshold_of_its_earlier_legs(tmp_path):
    setup = make_setup(LogisticRegression(), LogisticRegression(C=1e-4), task=table(200), resampling="cv")
    best, worse = (evaluate(setup, Assignment(np.array([number]), 3)) for number in (0.0, 1.0))
    assert best.cost < worse.cost
    reader = stored(setup, [best, worse, best], tmp_path)
    for rule in ("forgiving", "aggressive"):
        found = earlier_incumbent(reader, setup, rule)
        assert found.key == TrialKey(0, 0, 2)
        assert (found.cost, found.threshold) == (best.cost, pytest.approx(threshold_of(rule, best.fold_costs)))
    assert earlier_incumbent(reader, setup, "none") is None


def test_averaged_predictions_tell_nothing_of_single_folds(tmp_path):
    setup = make_setup(LogisticRegression(), task=table(200), resampling="repeated-cv")
    outcome = evaluate(setup, Assignment(np.array([0.0]), 3))
    assert earlier_incumbent(stored(setup, [outcome, outcome], tmp_path), setup, "forgiving") is None
