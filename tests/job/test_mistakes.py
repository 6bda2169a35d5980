"""A user's mistake gives one sentence from one rank, exit status 2, and leaves nothing behind."""

import os
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from launching import CHECKOUT, require_environment

ROWS = 60


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    good = pd.DataFrame({"a": rng.random(ROWS), "b": rng.random(ROWS), "y": rng.integers(0, 2, ROWS)})
    good.to_csv(directory / "good.csv", index=False)
    good.assign(y=1).to_csv(directory / "constant.csv", index=False)
    good.assign(y=np.nan).to_csv(directory / "missing.csv", index=False)
    good.assign(y=[f"about {i}" for i in range(ROWS)]).to_csv(directory / "words.csv", index=False)
    good.iloc[:0].to_csv(directory / "empty.csv", index=False)
    (directory / "binary.parquet").write_bytes(b"\x00\x01\x02")
    return directory


MISTAKES = {
    "no such file": (["nowhere.csv", "--target", "y"], "nowhere.csv"),
    "no such column": (["good.csv", "--target", "Y"], "no column 'Y'"),
    "no target": (["good.csv"], "--target"),
    "constant target": (["constant.csv", "--target", "y"], "y"),
    "only missing targets": (["missing.csv", "--target", "y"], "missing"),
    "text where numbers must be": (["words.csv", "--target", "y", "--task", "regression"], "number"),
    "no rows": (["empty.csv", "--target", "y"], "row"),
    "not a Parquet file": (["binary.parquet", "--target", "a"], "binary.parquet"),
    "unknown metric": (["good.csv", "--target", "y", "--metric", "acuracy"], "accuracy"),
    "wrong unit": (["good.csv", "--target", "y", "--time", "5 parsecs"], "--time"),
    "unknown option": (["good.csv", "--target", "y", "--tme", "5"], "--tme"),
    "unknown component": (["good.csv", "--target", "y", "--include", "classifier:random_forst"], "random_forest"),
    "no such plugin": (["good.csv", "--target", "y", "--plugins", "not.there"], "not.there"),
    "too short": (["good.csv", "--target", "y", "--time", "2"], "too short"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_sentence_and_status_2(launch, tables, tmp_path, mistake):
    words, expected = MISTAKES[mistake]
    words = [str(tables / words[0]), *words[1:], "--out", str(tmp_path / "run")]
    done = launch(None, "python", "-m", "mpi_automl", "fit", *words, timeout=30)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("mpi-automl: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
    assert not done.survivors


def test_under_mpirun_one_rank_speaks_and_all_leave(launch, tables, tmp_path, mpis):
    words = ["fit", tables / "good.csv", "--target", "Y", "--out", tmp_path / "run"]
    with launch.start(3, "python", "-m", "mpi_automl", *words, mpi=mpis) as job:
        deadline = time.monotonic() + 60
        while "no column 'Y'" not in job.output()[1] and time.monotonic() < deadline:
            time.sleep(0.05)
        # From the sentence on; how long the start takes depends on what else runs here.
        done = job.wait(10)
    assert done.returncode == 2
    assert done.stderr.count("no column 'Y'") == 1
    assert not done.survivors


def test_an_unknown_verb_suggests_the_right_one(launch):
    done = launch(None, "python", "-m", "mpi_automl", "fitt")
    assert done.returncode == 2
    assert "did you mean fit?" in done.stderr


def test_predict_names_missing_columns(example_job, launch, tmp_path):
    pd.DataFrame({"mean radius": [1.0]}).to_csv(tmp_path / "short.csv", index=False)
    done = launch(None, "python", "-m", "mpi_automl", "predict", example_job.directory, tmp_path / "short.csv")
    assert done.returncode == 2
    assert "mean texture" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_launcher_of_another_mpi_is_refused_with_the_remedy(tmp_path):
    debian, mpich = require_environment("debian"), require_environment("mpich")
    words = [str(mpich.mpirun), "-n", "2", str(debian.python), "-m", "mpi_automl", "--out", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "OMPI_ALLOW_RUN_AS_ROOT": "1"}
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("started 2 ranks, but the MPI library (Open MPI") == 1
    assert "srun --mpi=pmi2" in done.stderr
    assert not (tmp_path / "run").exists()
