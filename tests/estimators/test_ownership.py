"""Whoever holds a fitted estimator can predict with it, whatever becomes of other objects, processes and files."""

from __future__ import annotations

import copy
import gc
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.model_selection import cross_validate
from sklearn.multiclass import OneVsRestClassifier

from mpi_automl.estimators import AutoMLClassifier

pytestmark = pytest.mark.launches

PROGRAMS = Path(__file__).parent / "programs"
TREES = {
    "include": ("classifier:decision_tree", "classifier:gaussian_nb"),
    "time": 60,
    "trial_time": 20,
    "trials": 2,
    "ensemble_size": 3,
}
X, y = load_breast_cancer(return_X_y=True)


def test_copies_outlive_the_estimator_and_share_its_run():
    fitted = AutoMLClassifier(**TREES).fit(X, y)
    expected, place = fitted.predict_proba(X), Path(fitted.run_directory_)
    copies = [copy.copy(fitted), copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))]
    del fitted
    gc.collect()
    for one in copies:
        assert np.array_equal(one.predict_proba(X), expected)
        assert len(one.leaderboard()) == 2
    text = pickle.dumps(copies[1])
    del one, copies
    gc.collect()
    assert not place.exists()
    late = pickle.loads(text)
    assert np.array_equal(late.predict_proba(X), expected)
    with pytest.raises(ValueError, match="is gone"):
        late.leaderboard()


def test_a_pickle_is_not_taken_in_by_a_new_run_of_the_old_name(tmp_path):
    out = str(tmp_path / "run")
    old = AutoMLClassifier(out=out, **TREES).fit(X, y)
    expected, text = old.predict_proba(X), pickle.dumps(old)
    shutil.rmtree(out)
    AutoMLClassifier(out=out, **TREES).fit(X[:, :3], y)
    for one in (old, pickle.loads(text)):
        assert np.array_equal(one.predict_proba(X), expected)
        with pytest.raises(ValueError, match="holds another run"):
            one.leaderboard()
        with pytest.raises(ValueError, match="holds another run"):
            one.fit_ensemble(size=1)
        with pytest.raises(ValueError, match="holds another run"):
            one.refit(X, y)
    assert old.fit_ensemble(directory=out).n_features_in_ == 3
    assert old.predict(X[:, :3]).shape == y.shape


def test_estimators_outlive_the_processes_that_fitted_them():
    flowers, kinds = load_iris(return_X_y=True)
    automl = AutoMLClassifier(**TREES)
    models = [
        VotingClassifier([("a", automl), ("b", automl)], voting="soft", n_jobs=2),
        OneVsRestClassifier(automl, n_jobs=2),
        BaggingClassifier(automl, n_estimators=2, n_jobs=2, random_state=0),
    ]
    models = [model.fit(flowers, kinds) for model in models]
    models += cross_validate(automl, flowers, kinds, cv=3, n_jobs=2, return_estimator=True)["estimator"]
    get_reusable_executor().shutdown(wait=True)
    for model in [*models, *map(copy.deepcopy, models)]:
        if not isinstance(model, AutoMLClassifier):
            model.n_jobs = None
        assert model.score(flowers, kinds) > 0.8


def test_forks_threads_and_another_working_directory(launch, tmp_path):
    (tmp_path / "temporary").mkdir()
    done = launch(
        None,
        "python",
        PROGRAMS / "owned_model.py",
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path / "temporary")},
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fine: ") == 3
    assert not done.survivors
    assert not list((tmp_path / "temporary").glob("mpi_automl_*"))


def test_ranks_fit_for_themselves_and_together_in_threads(launch, tmp_path):
    done = launch(2, "python", PROGRAMS / "fits_on_ranks.py", cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "fine: " in done.stdout
    assert len(list(tmp_path.glob("mpi_automl_*"))) == 3
