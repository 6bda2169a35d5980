"""The interface of the rank to the trial server."""

from __future__ import annotations

import os
import select
import time
from dataclasses import replace

import numpy as np
import pytest
import skops.io
from hostile import Hostile
from processes import marked, new_mark
from setups import make_setup, table, trial, write_setup
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from tells_threads import TellsThreads

from mpi_automl.errors import UserError
from mpi_automl.evaluation.evaluator import Evaluator, Refit, server_environment
from mpi_automl.space.component import StagedFitting
from mpi_automl.trial import Status

FOREST, LOGISTIC, SLEEPER, STAGED = range(4)
LIMITS = {"seconds": 30.0, "memory": 256.0}


@pytest.fixture(scope="module")
def setup():
    staged = RandomForestClassifier(warm_start=True), StagedFitting("n_estimators", 100_000)
    learners = RandomForestClassifier(20), LogisticRegression(), Hostile("ignores_sigterm"), staged
    return make_setup(*learners, task=table(n_test=40))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluator")


@pytest.fixture(scope="module")
def opened(evaluator, setup, directory):
    evaluator.open(write_setup(setup, directory / "setup"), directory)
    return evaluator


def test_predictions_and_times_of_a_success(opened, one, setup):
    before = time.time()
    opened.submit(trial(0, LOGISTIC), **LIMITS)
    result = one(opened)
    assert result.status is Status.SUCCESS
    assert result.predictions.shape == (len(setup.resampling.validation_rows), 2)
    assert result.test_predictions.shape == (40, 2)
    assert result.predictions.dtype == result.test_predictions.dtype == np.float32
    rows = setup.resampling.validation_rows
    assert result.cost == setup.metric.cost(setup.task.y[rows], result.predictions, setup.task.type)
    assert before <= result.start <= result.end <= time.time()
    assert 0 < result.fit_seconds + result.predict_seconds < result.end - result.start
    assert result.cpu_seconds > 0


def test_one_runs_and_one_waits(opened, one):
    opened.submit(trial(0, FOREST), **LIMITS)
    assert opened.can_submit
    opened.submit(trial(1, LOGISTIC), **LIMITS)
    assert not opened.can_submit
    with pytest.raises(RuntimeError, match="waiting already"):
        opened.submit(trial(2, LOGISTIC), **LIMITS)
    results = []
    while len(results) < 2:
        results += opened.poll(1.0)
    assert [result.trial.key.number for result in results] == [0, 1]
    assert results[0].end <= results[1].start


def test_descriptor_is_readable_when_there_is_a_result(opened):
    opened.submit(trial(0, LOGISTIC), **LIMITS)
    assert select.select([opened], [], [], 30.0)[0]
    # A message may come in several pieces, the first of which wakes whoever waits.
    assert opened.poll(5.0)[0].status is Status.SUCCESS


def test_same_trial_in_two_servers_gives_the_same_bits(opened, one, directory):
    opened.submit(trial(0, FOREST, seed=7), **LIMITS)
    first = one(opened)
    with Evaluator.start() as other:
        other.open(directory / "setup")
        other.submit(trial(5, LOGISTIC), **LIMITS)
        other.submit(trial(6, FOREST, seed=7), **LIMITS)
        results = []
        while len(results) < 2:
            results += other.poll(1.0)
    assert results[1].predictions.tobytes() == first.predictions.tobytes()
    assert results[1].test_predictions.tobytes() == first.test_predictions.tobytes()


def test_models_of_good_trials_are_kept(opened, one, directory, setup):
    opened.submit(trial(10, LOGISTIC), **LIMITS, keep_model_below=1.0)
    kept = one(opened)
    opened.submit(trial(11, LOGISTIC), **LIMITS, keep_model_below=0.0)
    one(opened)
    opened.submit(trial(12, LOGISTIC), **LIMITS)
    one(opened)
    assert [path.name for path in sorted(directory.glob("*.skops*"))] == ["0-0-10.skops"]
    (pipeline,) = skops.io.load(directory / "0-0-10.skops", trusted=[])
    again = pipeline.predict_proba(setup.task.X[setup.resampling.validation_rows])
    assert np.array_equal(again.astype(np.float32), kept.predictions)


def test_refit_on_all_rows(opened, one, directory, setup):
    path = directory / "refit.skops"
    opened.refit(trial(20, LOGISTIC), path, **LIMITS)
    refit = one(opened)
    assert isinstance(refit, Refit)
    assert (refit.status, refit.path, refit.reason) == (Status.SUCCESS, path, "")
    (pipeline,) = skops.io.load(path, trusted=[])
    expected = LogisticRegression(random_state=1).fit(setup.task.X, setup.task.y)
    assert np.allclose(pipeline[-1].coef_, expected.coef_, rtol=1e-3)


def test_a_refit_that_learns_less_than_the_models_of_the_folds_is_given_up(opened, one, directory):
    path = directory / "hasty.skops"
    opened.refit(replace(trial(0, STAGED), fit_seconds=300.0), path, seconds=1.0, memory=512.0)
    result = one(opened)
    assert result.status is Status.TIMEOUT
    assert "the models of its folds had learned more" in result.reason
    assert not path.exists()


def test_failed_refit_leaves_no_file(opened, one, directory):
    opened.refit(trial(21, SLEEPER), directory / "slow.skops", seconds=0.3, memory=256.0)
    assert one(opened).status is Status.TIMEOUT
    assert not list(directory.glob("slow*"))


def test_cancel_stops_running_and_waiting_trials(opened, one):
    opened.submit(trial(9, LOGISTIC), **LIMITS)
    one(opened)  # now the server has nothing else to do
    opened.submit(trial(0, SLEEPER), seconds=60.0, memory=256.0)
    opened.submit(trial(1, LOGISTIC), **LIMITS)
    opened.poll(0.5)
    opened.cancel()
    results = []
    while len(results) < 2:
        results += opened.poll(5.0)
    assert [(result.trial.key.number, result.status) for result in results] == [
        (0, Status.STOPPED),
        (1, Status.STOPPED),
    ]
    running, waiting = results
    assert running.end > running.start, "the end of the one that ran was taken for that of the other"
    assert waiting.start == waiting.end


def test_staged_fitting_that_does_not_stop_at_the_deadline_is_a_timeout(opened, setup, directory, one):
    opened.open(write_setup(replace(setup, stop_at_deadline=False), directory / "without_clock"), directory)
    opened.submit(trial(70, STAGED), seconds=1.0, memory=1024)
    result = one(opened)
    assert result.status is Status.TIMEOUT
    assert result.predictions is None
    opened.open(directory / "setup", directory)


def test_staged_fitting_at_the_time_limit_counts(opened, one):
    opened.submit(trial(0, STAGED), seconds=1.0, memory=512.0)
    result = one(opened)
    assert result.status is Status.SUCCESS
    assert result.reason.startswith("time limit: ")
    assert result.cost < 0.3


def test_the_time_of_a_trial_that_waits_is_cut_to_what_is_left_when_it_begins(opened, one):
    until = time.monotonic() + 4.0
    opened.submit(trial(0, STAGED), seconds=2.0, memory=512.0, until=until)
    opened.submit(trial(1, STAGED), seconds=60.0, memory=512.0, until=until)
    first, second = one(opened), one(opened)
    assert [first.status, second.status] == [Status.SUCCESS] * 2
    assert second.reason.startswith("time limit: ")
    assert second.end - first.start < 10.0
    opened.submit(trial(2, STAGED), seconds=60.0, memory=512.0, until=until)
    late = one(opened)
    assert (late.status, late.start) == (Status.STOPPED, late.end)


def test_plugin_that_cannot_be_imported():
    with Evaluator.start(plugins=["no_such_plugin"]) as evaluator, pytest.raises(UserError, match="no_such_plugin"):
        for _ in range(60):
            evaluator.poll(1.0)


def test_setup_that_cannot_be_read(opened, tmp_path):
    (tmp_path / "setup").write_bytes(b"nonsense" * 10)
    opened.open(tmp_path / "setup")
    with pytest.raises(RuntimeError, match="cannot read"):
        for _ in range(60):
            opened.poll(1.0)


def test_server_that_cannot_start_is_reported(tmp_path, monkeypatch):
    (tmp_path / "sklearn.py").write_text("raise ImportError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    mark = new_mark()
    log = tmp_path / "log"
    with Evaluator.start(log) as evaluator, pytest.raises(RuntimeError, match="does not start; see"):
        for _ in range(60):
            evaluator.poll(1.0)
    assert "broken" in log.read_text()
    assert not marked(mark)


@pytest.mark.launches
@pytest.mark.parametrize("threads", [1, 2])
def test_blas_openmp_and_joblib_obey_the_setup(one, tmp_path, threads):
    """A server that was started with more threads than the job turns out to have."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("joblib never takes more threads than there are cores")
    setup = replace(make_setup(TellsThreads()), threads=threads)
    with Evaluator.start(threads=4) as evaluator:
        evaluator.open(write_setup(setup, tmp_path / "setup"))
        evaluator.submit(trial(0, 0), **LIMITS)
        assert one(evaluator).reason == f"ValueError: blas {threads}, openmp {threads}, joblib {threads}"


def test_server_environment_knows_nothing_of_mpi():
    given = {"OMPI_COMM_WORLD_RANK": "3", "PMIX_RANK": "3", "PMI_SIZE": "8", "MPI_LOCALRANKID": "1", "HOME": "/home"}
    cleaned = server_environment({**given, "OMP_NUM_THREADS": "64"}, threads=2)
    assert not given.keys() & cleaned.keys() - {"HOME"}
    assert cleaned["OMP_NUM_THREADS"] == cleaned["OPENBLAS_NUM_THREADS"] == "2"
    assert cleaned["HOME"] == "/home"
