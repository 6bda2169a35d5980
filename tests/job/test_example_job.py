"""The built-in example on 4 ranks, from its output to its files."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.example import breast_cancer_task
from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.evaluation.model_files import file_of_test_predictions
from mpi_automl.runs.final_model import refit_path
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory


@pytest.fixture(scope="module")
def reader(example_job):
    return RunReader(example_job.directory)


@pytest.fixture(scope="module")
def outcome(example_job):
    return RunDirectory(example_job.directory).read_ensemble()


def test_only_one_rank_speaks_and_says_what_runs_where(example_job):
    text = example_job.done.stdout
    assert text.count("4 ranks on 1 node") == 1
    assert "Open MPI" in text
    assert "time: 150 s total" in text
    assert "breast cancer" in text


def test_progress_comes_as_plain_lines_in_a_log(example_job):
    lines = [line for line in example_job.done.stdout.splitlines() if " s left" in line]
    assert lines
    assert "trials" in lines[-1]
    assert "\x1b" not in example_job.done.stdout


def test_the_end_tells_ensemble_scores_statuses_ranks_and_files(example_job):
    text = example_job.done.stdout
    for words in (
        "Ensemble",
        "on the test rows",
        "Trials:",
        "success",
        "broadcast latency",
        "mpi-automl report",
        str(example_job.directory),
    ):
        assert words in text.replace("\n", "")


def test_the_job_keeps_to_its_time(outcome, example_job):
    assert outcome["seconds"] <= 150
    assert not example_job.done.survivors


def test_the_ensemble_is_good(outcome):
    assert not outcome["is_dummy"]
    assert outcome["test_value"] >= 0.93
    assert sum(member["weight"] for member in outcome["members"]) == pytest.approx(1)


def test_every_trial_of_every_rank_is_in_the_store(reader, outcome):
    trials = reader.trials()
    assert len(trials) == sum(outcome["statuses"].values())
    assert set(trials["rank"]) == {0, 1, 2, 3}
    for _, own in trials.groupby("rank"):
        assert list(own["number"]) == list(range(len(own)))
    finished = trials[trials["status"] == "success"]
    assert (finished["end"] > finished["start"]).all()
    assert finished["cost"].between(0, 1).all()
    assert (trials["key"].nunique(), trials["seed"].nunique()) == (len(trials), len(trials))


def test_the_dummy_is_evaluated_once_and_the_portfolio_from_the_beginning(reader):
    trials = reader.trials()
    origins = trials["origin"].value_counts()
    assert origins["dummy"] == 1
    # The default configuration comes at the end of the portfolio.
    assert origins.get("default", 0) <= 1
    first = trials[trials["origin"] != "dummy"].groupby("rank")["origin"].first()
    assert set(first) == {"initial"}


def test_no_two_ranks_begin_with_the_same_configurations(reader):
    first = {}
    for key, vector in zip(reader.keys, reader.vectors, strict=True):
        if key.number < 10 and not np.isnan(vector).all():
            first.setdefault(np.nan_to_num(vector, nan=-1).round(9).tobytes(), set()).add(key.rank)
    assert all(len(ranks) == 1 for ranks in first.values())


def test_every_rank_was_told_every_trial_of_the_others(outcome, reader):
    for share in outcome["ranks"]:
        assert share["received"] == len(reader) - share["trials"]
    assert not outcome["notes"]


def test_plain_serial_h5py_reads_the_store(example_job, reader):
    (path,) = (example_job.directory / "store").glob("leg-0000.h5")
    with h5py.File(path, "r") as file:
        records = file["records"][...]
        assert file["vectors"].shape[2] == reader.vectors.shape[1]
        assert file["predictions"].dtype == np.float32
        assert records.shape[0] == 4
        assert (records["status"] > 0).sum() >= len(reader)


def test_the_saved_model_predicts_what_the_job_said(example_job, outcome):
    task = breast_cancer_task()
    model = EnsembleModel.load(example_job.directory / "model")
    predictions = model.predictions(task.X_test)
    assert (predictions.argmax(axis=1) == task.y_test).mean() == pytest.approx(outcome["test_value"])
    reader, models = RunReader(example_job.directory), RunDirectory(example_job.directory).models
    assert model.files
    for key, file in list(model.files.items())[:3]:
        if file.kind == "refit":
            said = np.load(file_of_test_predictions(refit_path(models, key)))
        else:
            said = reader.test_predictions([key])[0]
        np.testing.assert_allclose(model.member_predictions(key, task.X_test), said, atol=1e-6)


def test_predict_and_show_from_the_command_line(example_job, launch, tmp_path):
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).data
    table.sample(frac=1, axis=1, random_state=1).to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "predicted.csv"
    done = launch(
        None, "python", "-m", "mpi_automl", "predict", example_job.directory, tmp_path / "rows.csv", "--out", out
    )
    assert done.returncode == 0, done.stderr
    predicted = pd.read_csv(out)
    assert len(predicted) == len(table)
    assert set(predicted.iloc[:, 0]) == {"benign", "malignant"}
    shown = launch(None, "python", "-m", "mpi_automl", "show", example_job.directory)
    assert "Ensemble" in shown.stdout
    facts = json.loads(launch(None, "python", "-m", "mpi_automl", "show", example_job.directory, "--json").stdout)
    assert facts["state"] == "finished"
    assert facts["members"]


def test_a_finished_run_is_not_overwritten(example_job, launch):
    before = sorted(path.name for path in example_job.directory.rglob("*"))
    done = launch(2, "python", "-m", "mpi_automl", "--time", "60", "--out", example_job.directory)
    assert done.returncode == 2
    assert done.stderr.count("never overwritten") == 1
    assert sorted(path.name for path in example_job.directory.rglob("*")) == before


def test_every_rank_has_its_log(example_job):
    logs = sorted((example_job.directory / "logs").iterdir())
    assert [log.name for log in logs] == [f"rank-{rank:04d}.log" for rank in range(4)]
    assert all("success" in log.read_text() for log in logs)


def test_after_cross_validation_members_keep_the_models_of_their_folds(example_job):
    model = EnsembleModel.load(example_job.directory / "model")
    assert {file.kind for file in model.files.values()} == {"folds"}
    assert RunDirectory(example_job.directory).read_config()["final_models"] == "auto"
