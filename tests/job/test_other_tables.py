"""Other rank counts and table formats give the same kind of result."""

import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory


def test_one_rank_without_a_launcher_on_a_regression_table(launch, tmp_path):
    table = load_diabetes(as_frame=True).frame
    table.to_parquet(tmp_path / "table.parquet")
    run = tmp_path / "run"
    words = ["fit", tmp_path / "table.parquet", "--target", "target", "--time", "90"]
    words += ["--trials", "3", "--out", run]
    done = launch(None, "python", "-m", "mpi_automl", *words, timeout=120)
    assert done.returncode == 0, done.stderr
    outcome = RunDirectory(run).read_ensemble()
    assert outcome["metric"] == "r2"
    assert outcome["value"] > 0.2


@pytest.mark.alone
def test_eight_ranks_on_few_cores_keep_to_the_time(launch, tmp_path):
    table = load_wine(as_frame=True).frame.rename(columns={"target": "cultivar"})
    train, test = table[::2], table[1::2]
    train.to_csv(tmp_path / "train.csv.gz", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    run = tmp_path / "run"
    words = ["fit", tmp_path / "train.csv.gz", "--target", "cultivar", "--test", tmp_path / "test.csv"]
    words += ["--time", "45", "--trial-time", "5", "--metric", "log_loss", "--out", run]
    done = launch(8, "python", "-m", "mpi_automl", *words, timeout=120)
    assert done.returncode == 0, done.stderr
    outcome = RunDirectory(run).read_ensemble()
    assert outcome["seconds"] <= 45
    assert outcome["value"] < 0.3
    assert pd.Series(RunReader(run).trials()["rank"]).nunique() == 8
