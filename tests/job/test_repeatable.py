"""Repeatable jobs give the same bits again, and say what that costs; other runs are a warm start."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from repeatable import fingerprint

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Origin

# Components that stay far from their limits, however busy the machine is; one of them has staged fitting.
COMPONENTS = ",".join(
    [f"classifier:{name}" for name in ("decision_tree", "gaussian_nb", "lda", "sgd")]
    + [f"feature_preprocessor:{name}" for name in ("no_preprocessing", "select_percentile_classification")]
)
LIMITS = ("--include", COMPONENTS, "--time", "240", "--trial-time", "100", "--report", "false")
WORDS = (
    "--deterministic",
    "--exchange-every",
    "2",
    "--trials",
    "6",
    "--initial-design",
    "default",
    "--seed",
    "5",
    *LIMITS,
)


@pytest.fixture(scope="module")
def twice(launch, tmp_path_factory):
    place = tmp_path_factory.mktemp("repeatable")
    jobs = []
    for number, hash_seed in enumerate(("0", "4242")):
        words = (*WORDS, "--out", place / str(number))
        jobs.append(launch(3, "python", "-m", "mpi_automl", *words, env={"PYTHONHASHSEED": hash_seed}, timeout=250))
        assert jobs[-1].returncode == 0, jobs[-1].stderr
    return jobs, place


def test_the_same_command_gives_the_same_bits(twice):
    _, place = twice
    first, second = fingerprint(place / "0"), fingerprint(place / "1")
    assert len(first["keys"]) == 18
    assert {Origin.DUMMY, Origin.DEFAULT, Origin.MODEL} < set(first["origins"])
    for what, value in first.items():
        assert value == second[what], what


def test_trials_are_made_one_at_a_time_from_what_was_told_in_rounds(twice):
    _, place = twice
    reader = RunReader(place / "0")
    for rank in range(3):
        own = reader.records[reader.records["rank"] == rank]
        assert (own["start"][1:] >= own["end"][:-1]).all()
    for share in RunDirectory(place / "0").read_ensemble()["ranks"]:
        assert share["received"] == 12


def test_the_price_is_told_and_nothing_else_is_wrong(twice):
    jobs, place = twice
    assert "waited for each other" in " ".join(jobs[0].stdout.split())
    notes = RunDirectory(place / "0").read_ensemble()["notes"]
    assert len(notes) == 1
    assert notes[0].startswith("Repeatable: ranks waited for each other in ")


def test_a_signal_ends_a_repeatable_job_as_well(launch, tmp_path):
    run = tmp_path / "run"
    words = ("--deterministic", "--trials", "500", *LIMITS, "--out", run)
    with launch.start(3, "python", "-m", "mpi_automl", *words) as job:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not _has_trials(run, 5):
            time.sleep(0.2)
        ranks = [p for p, command in job.processes().items() if "-m mpi_automl " in command and "mpirun" not in command]
        os.kill(ranks[-1], signal.SIGUSR1)
        done = job.wait(40)
    assert done.returncode == 75, done.stderr
    outcome = RunDirectory(run).read_ensemble()
    assert outcome["members"]
    assert any("ended before every rank" in note for note in outcome["notes"])
    assert not done.survivors


def _has_trials(run, count):
    try:
        return len(RunReader(run)) >= count
    except Exception:  # noqa: BLE001  # the store is not there yet
        return False


def test_a_run_on_the_same_table_is_a_warm_start(twice, launch, tmp_path):
    _, place = twice
    run = tmp_path / "warm"
    words = ("--trials", "4", "--seed", "5", *LIMITS, "--warm-start", place / "0", "--out", run)
    done = launch(None, "python", "-m", "mpi_automl", *words, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "it is the same task" in " ".join(done.stdout.split())
    old, new = RunReader(place / "0"), RunReader(run)
    best = [old.vector(key).tobytes() for key in old.best(4) if key.number or key.rank]
    begun = [new.vector(key).tobytes() for key in new.keys if key.number]
    assert begun[0] == best[0]
    assert len({*begun} & {*best}) >= 2


def test_a_warm_start_from_nowhere_is_explained(launch, tmp_path):
    (tmp_path / "empty").mkdir()
    words = ("--warm-start", tmp_path / "empty", "--time", "60", "--out", tmp_path / "run")
    done = launch(None, "python", "-m", "mpi_automl", *words)
    assert done.returncode == 2
    assert "is not a run directory" in done.stderr
    assert json.dumps(done.stderr).count("Traceback") == 0
