"""The final model: what is written, what is read back, and what is refused."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectPercentile, mutual_info_classif
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mpi_automl.data.example import breast_cancer_task
from mpi_automl.data.load import make_task
from mpi_automl.ensemble import held_files
from mpi_automl.ensemble.combination import Calibrated, WeightedMean
from mpi_automl.ensemble.model import MANIFEST, EnsembleModel, add_member, write_manifest
from mpi_automl.ensemble.saved_pipelines import load_pipelines, trusted_types
from mpi_automl.ensemble.scaling import LogitScaling
from mpi_automl.ensemble.sklearn_export import save_estimator, to_sklearn
from mpi_automl.errors import UserError
from mpi_automl.trial import TrialKey

FOREST, BOOSTING = TrialKey(0, 3, 17), TrialKey(1, 0, 2)


def write(directory, task, members, weights, scaling=None):
    directory.mkdir(exist_ok=True)
    files = {}
    for key, pipelines in members.items():
        source = directory / f"source-{key}"
        skops.io.dump(pipelines, source)
        files[key] = add_member(directory / "model", key, source, "folds")
    mean = WeightedMean(weights)
    write_manifest(
        directory / "model", task.schema, mean if scaling is None else Calibrated(mean, scaling), files, "accuracy"
    )
    return directory / "model"


@pytest.fixture(scope="module")
def task():
    return breast_cancer_task()


@pytest.fixture(scope="module")
def members(task):
    rows = np.arange(len(task.y)) % 3
    forests = [
        RandomForestClassifier(10, random_state=fold).fit(task.X[rows != fold], task.y[rows != fold])
        for fold in range(3)
    ]
    return {FOREST: forests, BOOSTING: [HistGradientBoostingClassifier(max_iter=10).fit(task.X, task.y)]}


@pytest.fixture(scope="module")
def table():
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(as_frame=True).data


@pytest.fixture
def model(tmp_path, task, members):
    return write(tmp_path, task, members, {FOREST: 0.75, BOOSTING: 0.25})


def test_predictions_are_the_weighted_mean_of_the_members(model, task, members, table):
    loaded = EnsembleModel.load(model)
    X = table.to_numpy()
    forest = np.mean([forest.predict_proba(X) for forest in members[FOREST]], axis=0)
    expected = 0.75 * forest + 0.25 * members[BOOSTING][0].predict_proba(X)
    assert loaded.predict_proba(table) == pytest.approx(expected, abs=1e-6)
    assert set(loaded.predict(table)) == {"benign", "malignant"}
    assert (loaded.predict(table) == np.array(["benign", "malignant"])[expected.argmax(axis=1)]).all()
    assert loaded.weights == {FOREST: 0.75, BOOSTING: 0.25}


@pytest.mark.parametrize("scaling", [LogitScaling(0.5), LogitScaling(2.0, (0.0, -0.7))])
def test_scaled_probabilities_are_given_out_and_exported(tmp_path, task, members, table, scaling):
    weights = {FOREST: 0.75, BOOSTING: 0.25}
    plain = EnsembleModel.load(write(tmp_path / "plain", task, members, weights)).predict_proba(table)
    model = EnsembleModel.load(write(tmp_path / "scaled", task, members, weights, scaling))
    expected = scaling(plain)
    np.testing.assert_array_equal(model.predict_proba(table), expected)
    assert np.abs(expected - plain).max() > 0.05
    assert (model.predict(table) == np.array(["benign", "malignant"])[expected.argmax(axis=1)]).all()
    for encoded in (False, True):
        save_estimator(to_sklearn(model, encoded=encoded), tmp_path / "model.skops")
        exported = skops.io.load(tmp_path / "model.skops", trusted=trusted_types())
        rows = model.schema.encode(table) if encoded else table
        np.testing.assert_allclose(exported.predict_proba(rows), expected, atol=1e-5)
        assert list(exported.classes_) == ["benign", "malignant"]
        assert (exported.predict(rows) == model.predict(table)).mean() > 0.99
    alone = to_sklearn(model, BOOSTING).predict_proba(table)
    np.testing.assert_allclose(alone, members[BOOSTING][0].predict_proba(table.to_numpy()), atol=1e-6)


def test_columns_are_found_by_name(model, table):
    loaded = EnsembleModel.load(model)
    assert np.array_equal(loaded.predict_proba(table[table.columns[::-1]]), loaded.predict_proba(table))
    with pytest.raises(UserError, match="mean radius"):
        loaded.predict(table.drop(columns="mean radius"))


@pytest.mark.slow
def test_a_fresh_process_predicts_the_same_to_the_last_bit(model, table, tmp_path):
    np.save(tmp_path / "table.npy", table.to_numpy())
    program = (
        "import sys, numpy as np\n"
        "from mpi_automl.ensemble.model import EnsembleModel\n"
        "np.save(sys.argv[3], EnsembleModel.load(sys.argv[1]).predict_proba(np.load(sys.argv[2])))\n"
    )
    found = tmp_path / "found.npy"
    subprocess.run([sys.executable, "-c", program, model, tmp_path / "table.npy", found], check=True)
    assert np.array_equal(np.load(found), EnsembleModel.load(model).predict_proba(table))


def test_batches_do_not_change_predictions(model, table, monkeypatch):
    whole = EnsembleModel.load(model).predict_proba(table)
    monkeypatch.setattr("mpi_automl.ensemble.model._BATCH_ROWS", 100)
    assert np.array_equal(EnsembleModel.load(model).predict_proba(table), whole)


def test_no_more_members_are_kept_than_memory_allows(model, table):
    small, large = EnsembleModel.load(model, memory=0.0), EnsembleModel.load(model)
    assert np.array_equal(small.predict_proba(table), large.predict_proba(table))
    assert (len(small._loaded), len(large._loaded)) == (1, 2)


@pytest.mark.parametrize("in_memory", [held_files.IN_MEMORY, 0], ids=["in memory", "in open files"])
def test_copies_and_pickles_hold_the_files(model, table, monkeypatch, in_memory):
    monkeypatch.setattr(held_files, "IN_MEMORY", in_memory)
    loaded = EnsembleModel.load(model, memory=0.0)
    expected = loaded.predict_proba(table)
    text = pickle.dumps(loaded)
    others = [copy.copy(loaded), copy.deepcopy(loaded), pickle.loads(text)]
    for path in model.iterdir():
        path.unlink()
        path.write_bytes(b"another model of this name")
    del loaded
    others.append(pickle.loads(pickle.dumps(others[1])))
    others += [EnsembleModel.load(write_again(other, model.parent / str(i))) for i, other in enumerate(others)]
    for other in others:
        assert np.array_equal(other.predict_proba(table), expected)


def write_again(model, directory):
    directory.mkdir()
    files = {key: model.write_member(key, directory) for key in model.files}
    write_manifest(directory, model.schema, model.combination, files, model.metric)
    return directory


@pytest.mark.parametrize("in_memory", [held_files.IN_MEMORY, 0], ids=["in memory", "in open files"])
def test_threads_and_forked_processes_share_a_model(model, table, monkeypatch, in_memory):
    monkeypatch.setattr(held_files, "IN_MEMORY", in_memory)
    loaded = EnsembleModel.load(model, memory=0.0)
    expected = loaded.predict_proba(table)
    encoded = loaded.schema.encode(table)
    forest = loaded.member_predictions(FOREST, encoded)
    child = os.fork()
    if not child:
        # Boosting uses OpenMP, which does not survive a fork.
        os._exit(0 if np.array_equal(loaded.member_predictions(FOREST, encoded), forest) else 1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loaded.predict_proba(table), range(8)))
    assert all(np.array_equal(one, expected) for one in found)
    assert os.waitpid(child, 0)[1] == 0


def test_the_sources_of_members_may_be_deleted(model, table):
    expected = EnsembleModel.load(model).predict_proba(table)
    for source in model.parent.glob("source-*"):
        source.unlink()
    assert np.array_equal(EnsembleModel.load(model).predict_proba(table), expected)


def test_values_come_back_as_values(tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.random((80, 3)), columns=["a", "b", "c"])
    task = make_task(X, 1.7e9 + 10 * X["a"] + X["b"])
    member = ExtraTreesRegressor(10, random_state=0).fit(task.X, task.y)
    loaded = EnsembleModel.load(write(tmp_path, task, {FOREST: [member]}, {FOREST: 1.0}))
    assert loaded.predict(X) == pytest.approx(task.schema.restore(member.predict(task.X)), rel=1e-6)
    assert np.var(loaded.predict(X) - task.schema.restore(task.y)) < 1e-8
    exported = to_sklearn(loaded)
    save_estimator(exported, tmp_path / "model.skops")
    again = skops.io.load(tmp_path / "model.skops", trusted=skops.io.get_untrusted_types(file=tmp_path / "model.skops"))
    np.testing.assert_allclose(again.predict(X) - 1.7e9, loaded.predict(X) - 1.7e9, atol=1e-5)
    with pytest.raises(UserError, match="target is a number"):
        loaded.predict_proba(X)


def test_predicted_values_are_in_the_domain_of_the_metric(tmp_path):
    X = np.linspace(0.0, 1.0, 30)[:, None]
    task = make_task(X, np.maximum(X[:, 0] - 0.5, 0.0))
    member = LinearRegression().fit(task.X, task.y)
    for metric, lowest in (("r2", -0.2), ("root_mean_squared_log_error", 0.0)):
        place = tmp_path / metric
        place.mkdir()
        written = write(place, task, {FOREST: [member]}, {FOREST: 1.0})
        manifest = json.loads((written / MANIFEST).read_text())
        (written / MANIFEST).write_text(json.dumps(manifest | {"metric": metric}))
        found = EnsembleModel.load(written).predict(X)
        assert found.min() == (pytest.approx(lowest, abs=0.1) if lowest else 0.0)


def test_a_changed_member_is_refused(model, table):
    path = model / f"{FOREST}.skops"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-100] + bytes(100))
    with pytest.raises(UserError, match="has been changed"):
        EnsembleModel.load(model).predict(table)


def test_a_missing_member_is_named(model, table):
    (model / f"{BOOSTING}.skops").unlink()
    with pytest.raises(UserError, match="1-0-2.skops is missing"):
        EnsembleModel.load(model).predict(table)


def test_a_type_that_is_not_trusted_is_refused_before_anything_is_built(tmp_path, task, table):
    pipeline = make_pipeline(FunctionTransformer(), LogisticRegression(max_iter=10)).fit(task.X, task.y)
    pipeline[0].func = shutil.rmtree
    directory = write(tmp_path, task, {FOREST: [pipeline]}, {FOREST: 1.0})
    with pytest.raises(UserError, match=r"not trusted \(shutil.rmtree\)"):
        EnsembleModel.load(directory).predict(table)
    EnsembleModel.load(directory, trusted=["shutil.rmtree"]).pipelines(FOREST)


def test_boosting_with_categories_is_trusted_and_other_partial_functions_are_not(tmp_path):
    X = np.column_stack([np.arange(60) % 3, np.linspace(0.0, 1.0, 60)])
    y = (X[:, 0] == 1).astype(int)
    boosting = HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]).fit(X, y)
    skops.io.dump([boosting], tmp_path / "boosting")
    (loaded,) = load_pipelines(tmp_path / "boosting")
    np.testing.assert_array_equal(loaded.predict_proba(X), boosting.predict_proba(X))
    command = functools.partial(os.system, f"touch {tmp_path / 'made'}")
    skops.io.dump([make_pipeline(FunctionTransformer(command), LogisticRegression())], tmp_path / "bad")
    with pytest.raises(UserError, match="system"):
        load_pipelines(tmp_path / "bad")
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_no_model_is_refused_in_one_sentence(tmp_path, task, table):
    directory = write(tmp_path, task, {FOREST: [LogisticRegression().fit(task.X, task.y)]}, {FOREST: 1.0})
    manifest = json.loads((directory / "manifest.json").read_text())
    for content in (b"", b"no archive", pickle.dumps(LogisticRegression())):
        path = directory / f"{FOREST}.skops"
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        manifest["members"][str(FOREST)]["sha256"] = hashlib.sha256(content).hexdigest()
        (directory / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(UserError, match="damaged"):
            EnsembleModel.load(directory).predict(table)


def test_an_archive_of_something_else_is_refused(tmp_path, task, table):
    source = tmp_path / "source"
    skops.io.dump({"not": "a list"}, source)
    files = {FOREST: add_member(tmp_path / "model", FOREST, source, "folds")}
    write_manifest(tmp_path / "model", task.schema, WeightedMean({FOREST: 1.0}), files, "accuracy")
    with pytest.raises(UserError, match="does not hold a list of fitted pipelines"):
        EnsembleModel.load(tmp_path / "model").predict(table)
    assert zipfile.is_zipfile(source)


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "combination": 3}'])
def test_a_damaged_manifest_is_one_sentence(model, broken):
    (model / "manifest.json").write_text(broken)
    with pytest.raises(UserError, match="damaged"):
        EnsembleModel.load(model)


def test_a_manifest_cannot_name_files_elsewhere(model):
    text = (model / "manifest.json").read_text().replace('"0-3-17.skops"', '"../../other.skops"')
    (model / "manifest.json").write_text(text)
    with pytest.raises(UserError, match="must be 0-3-17.skops"):
        EnsembleModel.load(model)


def test_a_directory_without_a_model(tmp_path):
    with pytest.raises(UserError, match="There is no model in"):
        EnsembleModel.load(tmp_path)


def test_a_partial_function_is_trusted_as_far_as_what_it_calls(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 2
    score = partial(mutual_info_classif, random_state=1)
    model = make_pipeline(SelectPercentile(score, percentile=50), LogisticRegression()).fit(X, y)
    skops.io.dump([model], tmp_path / "good")
    np.testing.assert_array_equal(load_pipelines(tmp_path / "good")[0].predict(X), model.predict(X))
    model.steps[0][1].score_func = partial(shutil.rmtree, ignore_errors=True)
    skops.io.dump([model], tmp_path / "bad")
    with pytest.raises(UserError, match=r"not trusted \(shutil.rmtree\)"):
        load_pipelines(tmp_path / "bad")
