"""Verbs that look at runs, tables and the machine."""

import json
import shutil

import pandas as pd
import pytest

from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.storage.run_directory import RunDirectory


@pytest.fixture(scope="module")
def verb(launch):
    def run(*words, ranks=None, mpi="debian"):
        return launch(ranks, "python", "-m", "mpi_automl", *words, mpi=mpi)

    return run


def test_doctor_tells_what_is_there(verb, mpis):
    done = verb("doctor", ranks=2, mpi=mpis)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 ranks on 1 nodes") == 1
    for topic in ("versions", "cores", "HDF5", "files", "scratch", "Slurm"):
        assert topic in done.stdout


def test_doctor_without_a_launcher(verb):
    done = verb("doctor", "--threads", "64")
    assert "started without a launcher" in done.stdout
    assert "ask for more cores" in done.stdout


def test_space_of_a_table(verb, tmp_path):
    pd.DataFrame({"a": range(40), "b": list("xyzw") * 10, "y": [0, 1] * 20}).to_csv(tmp_path / "t.csv", index=False)
    words = [tmp_path / "t.csv", "--target", "y"]
    text = verb("space", *words).stdout
    assert "random_forest" in text
    assert "Left out for this table" in text
    space = json.loads(verb("space", *words, "--include", "classifier:mlp", "--json").stdout)
    assert space["fixed"]["classifier:__choice__"] == "mlp"
    assert "hyperparameters" in verb("space", *words, "--size").stdout


def test_another_ensemble_from_a_finished_run(verb, example_job, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(example_job.directory, run)
    done = verb("ensemble", run, "--size", "3", "--nbest", "5", "--metric", "log_loss", "--method", "auto")
    assert done.returncode == 0, done.stderr
    assert "log_loss" in done.stdout
    weights = EnsembleModel.load(run / "model").weights
    assert 1 <= len(weights) <= 5
    assert RunDirectory(run).read_ensemble()["metric"] == "log_loss"
    wrong = verb("ensemble", run, "--nbest", "many")
    assert wrong.returncode == 2
    assert "--nbest" in wrong.stderr


def test_check_finds_a_changed_byte(verb, example_job, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(example_job.directory, run)
    assert verb("verify", run).returncode == 0
    store = max((run / "store").glob("*.h5"), key=lambda path: path.stat().st_size)
    content = bytearray(store.read_bytes())
    for position in range(len(content) // 4, 3 * len(content) // 4, 64):
        content[position] ^= 0xFF
    store.write_bytes(content)
    done = verb("verify", run)
    assert done.returncode == 1
    assert "not everything is sound" in done.stdout or "cannot be read" in done.stdout


def test_a_config_file_starts_the_same_run(verb, example_job):
    config = RunDirectory(example_job.directory).read_config()
    assert config["seed"] == 3
    assert config["time"] == 150
    done = verb("example", "--config", example_job.directory / "config.toml")
    assert done.returncode == 2
    assert "never overwritten" in done.stderr
