"""Learners that raise, run for ever or eat all memory cost one trial each; the job goes on."""

import pytest

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory

pytestmark = pytest.mark.alone


def test_each_bad_trial_gets_its_status_and_the_result_is_right(launch, tmp_path, monkeypatch):
    support = str(__import__("pathlib").Path(__file__).parents[1] / "support")
    run = tmp_path / "run"
    words = [
        "--plugins",
        "planted_components",
        "--time",
        "180",
        "--trials",
        "14",
        "--trial-time",
        "3",
        "--trial-memory",
        "300",
        "--report",
        "false",
    ]
    words += ["--include", "classifier:raising,classifier:endless,classifier:greedy,classifier:gaussian_nb"]
    from launching import CHECKOUT

    environment = {"PYTHONPATH": f"{CHECKOUT}:{support}"}
    done = launch(2, "python", "-m", "mpi_automl", *words, "--out", run, env=environment, timeout=220)
    assert done.returncode == 0, done.stderr
    trials = RunReader(run).trials()
    assert {"success", "crashed", "timeout", "memout"} <= set(trials["status"])
    assert trials.loc[trials["status"] == "crashed", "reason"].str.contains("planted to fail").all()
    outcome = RunDirectory(run).read_ensemble()
    assert not outcome["is_dummy"]
    assert all("gaussian_nb" in member["description"] for member in outcome["members"])
    assert not done.survivors
