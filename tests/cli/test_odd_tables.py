"""Jobs of people with odd tables: fit on one file, predict others."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

N = 300


@pytest.fixture
def command(tmp_path):
    """Run the command in an empty directory."""

    def run(*words):
        program = [sys.executable, "-m", "mpi_automl", *map(str, words)]
        return subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return run


def table():
    """A target that only codes and price together tell; an index of shuffled rows before them."""
    rng = np.random.default_rng(3)
    codes = rng.choice(["001", "002", "003", "00X"], N)
    price = rng.integers(900, 30_000, N)
    effect = (codes == "002") * 2.0 + (codes == "00X") * -2.0 + (price > 15_000) * 4.0
    frame = pd.DataFrame({"code": codes, "price": [f"${value:,}" for value in price], "response, heart": effect})
    return frame.sample(frac=1, random_state=0)


@pytest.mark.launches
def test_a_job_on_an_odd_table_and_predictions_of_others(tmp_path, command):
    frame = table()
    train, new = frame[: N - 60], frame[N - 60 :]
    new = new[new["code"] != "00X"]
    train.to_csv(tmp_path / "train.csv")
    new.to_csv(tmp_path / "test.csv", index=False)
    fit = command(
        *("fit", "train.csv", "--target", "response, heart", "--task", "regression", "--test", "test.csv"),
        *("--time", "90", "--trials", "6", "--include", "regressor:decision_tree", "--trial-time", "20"),
        *("--out", "run"),
    )
    assert fit.returncode == 0, fit.stderr
    said = " ".join((fit.stdout + fit.stderr).split())
    assert "is the index of the rows" in said and "read as numbers: '$" in said
    expected = new["response, heart"].to_numpy()
    predicted = command("predict", "run", "test.csv", "--out", "predicted.csv")
    assert predicted.returncode == 0, predicted.stderr
    found = pd.read_csv(tmp_path / "predicted.csv")["response, heart"].to_numpy()
    assert 1 - np.var(found - expected) / np.var(expected) > 0.8
    new.to_parquet(tmp_path / "test.parquet")
    command("predict", "run", "test.parquet", "--out", "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "predicted.csv").read_bytes()
    new.assign(code="A").to_csv(tmp_path / "strange.csv", index=False)
    warned = command("predict", "run", "strange.csv", "--out", "strange_predicted.csv")
    assert warned.returncode == 0
    assert f"{len(new)} of {len(new)} values of column code are unknown to the model" in warned.stderr


@pytest.mark.launches
def test_a_header_that_names_a_column_twice_is_one_sentence(tmp_path, command):
    (tmp_path / "t.csv").write_text("a,y,b,y\n" + "\n".join(f"{i},{i % 2},{i * i},{i % 2}" for i in range(40)))
    fit = command("fit", "t.csv", "--target", "y", "--time", "30")
    assert fit.returncode == 2
    assert fit.stderr.count("\n") == 1 and "more than one column 'y'" in fit.stderr
