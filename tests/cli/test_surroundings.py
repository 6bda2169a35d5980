"""The command in odd surroundings: terminals without UTF-8, modules in the working directory, limits of file sizes."""

import json
import os
import re
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from job_faults import logged
from launching import CHECKOUT

from mpi_automl.ensemble.sklearn_export import to_sklearn
from mpi_automl.runs.run import Run
from mpi_automl.storage.reader import RunReader

pytestmark = pytest.mark.launches

ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
FIT = ["--trials", "2", "--time", "60", "--include", "classifier:decision_tree,classifier:mlp", "--report", "no"]


def command(*words, cwd, env=None, before=""):
    """Run the command as a person does, its output piped."""
    line = [sys.executable, "-m", "mpi_automl", *map(str, words)]
    if before:
        line = ["bash", "-c", f'{before}; exec "$@"', "bash", *line]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHONIO")} | (env or {})
    return subprocess.run(line, cwd=cwd, env=variables, capture_output=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with a table, a run on it, and modules that stand in for the standard library's."""
    place = tmp_path_factory.mktemp("surroundings")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((90, 2)), columns=["größe", "λ" * 60])
    table["stadt"] = rng.choice(["Köln", "Łódź", "…"], 90)
    table["farbe"] = np.where(table["größe"] > 0.5, "grün", "blå")
    table.to_csv(place / "table.csv", index=False)
    table.assign(stadt="Ulm").to_csv(place / "new.csv", index=False)
    for name in ("random", "calendar", "pandas"):
        (place / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    (place / "mpi_automl").mkdir()
    (place / "own.py").write_text("def hit_score(y, p):\n    return float((y == p).mean())\n")
    words = ["fit", "table.csv", "--target", "farbe", *FIT, "--metric", "own:hit_score", "--out", "run"]
    done = command(*words, cwd=place, env=ENCODINGS["ascii"])
    assert done.returncode == 0, done.stderr.decode()
    return place


def test_modules_in_the_working_directory_shadow_nothing_and_are_found(place):
    assert Run(place / "run").summary.metric == "own:hit_score"
    assert "wrong module" not in (place / "run" / "logs" / "rank-0000.log").read_text()


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("C", ("show", "run")),
        ("ascii", ("leaderboard", "run")),
        ("latin-1", ("importance", "run", "table.csv", "--repeats", "1")),
        ("ascii", ("importance", "run", "table.csv", "--repeats", "1")),
        ("ascii", ("space", "table.csv", "--target", "farbe")),
        ("ascii", ("predict", "run", "ü.csv")),
    ],
)
def test_no_encoding_of_a_terminal_ends_in_a_traceback(place, encoding, words):
    done = command(*words, cwd=place, env=ENCODINGS[encoding])
    said = done.stderr.decode("latin-1")
    assert "Traceback" not in said
    assert done.returncode == (2 if words[0] == "predict" else 0), said


def test_predictions_on_the_standard_output_are_utf_8_in_any_terminal(place):
    done = command("predict", "run", "table.csv", cwd=place, env=ENCODINGS["ascii"])
    assert done.returncode == 0, done.stderr.decode()
    assert set(done.stdout.decode("utf-8").split()) == {"farbe", "grün", "blå"}


def test_unknown_values_are_one_sentence(place):
    done = command("predict", "run", "new.csv", cwd=place)
    assert done.returncode == 0
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("mpi-automl: warning: ")
    assert "stadt" in line


def test_an_interrupted_run_is_shown_with_its_ensemble(place, tmp_path):
    run = tmp_path / "run"
    subprocess.run(["cp", "-r", place / "run", run], check=True)
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps(status | {"state": "interrupted"}))
    done = command("show", run, cwd=tmp_path)
    said = done.stdout.decode()
    assert "the run was interrupted" in " ".join(said.split())
    assert "Ensemble: own:hit_score" in said
    facts = json.loads(command("show", run, "--json", cwd=tmp_path).stdout)
    assert facts["state"] == "interrupted"
    assert facts["members"]
    (run / "ensemble.json").unlink()
    subprocess.run(["rm", "-r", run / "model"], check=True)
    said = command("show", run, cwd=place).stdout.decode()
    assert f"{1 - Run(run).reader.records['cost'][Run(run).ranking[0]]:.4f}" in said
    assert "validation own:hit_score" in " ".join(said.split())
    refused = command("predict", run, place / "table.csv", cwd=tmp_path)
    assert refused.returncode == 2
    assert f"mpi-automl ensemble {run}" in refused.stderr.decode()


@pytest.fixture(scope="module")
def bare_python():
    """The interpreter of an environment with scikit-learn and skops alone."""
    script = CHECKOUT / "tests" / "environment" / "bare.sh"
    made = subprocess.run(["bash", script, sys.executable], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no bare environment: {made.stderr.strip()[-300:]}")
    return made.stdout.strip()


def test_an_exported_member_is_loaded_without_this_package(place, bare_python, tmp_path):
    """Only scikit-learn, skops and what they need are installed where a member is loaded."""
    model = Run(place / "run").model
    member = next(iter(model.weights))
    words = ["--member", member, "--out", tmp_path / "plain.skops", "--encoded"]
    done = command("export", place / "run", *words, cwd=place)
    assert done.returncode == 0, done.stderr.decode()
    assert "without mpi_automl" in done.stdout.decode()
    with_table = command("export", place / "run", "--ensemble", tmp_path / "raw.skops", cwd=place)
    assert "mpi_automl must be installed" in with_table.stdout.decode()
    rows = model.schema.encode(pd.read_csv(place / "table.csv"))
    rows = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
    np.save(tmp_path / "rows.npy", rows)
    program = (
        "import importlib.util, numpy as np, skops.io\n"
        "assert not any(map(importlib.util.find_spec, ('mpi_automl', 'pandas', 'mpi4py')))\n"
        "trusted = skops.io.get_untrusted_types(file='plain.skops')\n"
        "model = skops.io.load('plain.skops', trusted=trusted)\n"
        "print(*model.predict(np.load('rows.npy')), sep='\\n')\n"
    )
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    loaded = subprocess.run(
        [bare_python, "-I", "-X", "utf8", "-c", program],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr.decode()
    assert loaded.stdout.decode().split() == list(to_sklearn(model, member, encoded=True).predict(rows))


def test_a_limit_of_file_sizes_ends_every_rank_with_a_sentence(launch, tmp_path):
    words = ["python", "-m", "mpi_automl", "example", *FIT, "--out", str(tmp_path / "run")]
    words[0] = sys.executable
    done = launch(2, "bash", "-c", 'ulimit -f 2000; exec "$@"', "bash", *words, timeout=60)
    assert done.returncode == 2
    assert "ulimit -f unlimited" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_grow_is_refused_at_the_start(tmp_path):
    words = ["example", *FIT, "--time", "20000", "--out", tmp_path / "run"]
    done = command(*words, cwd=tmp_path, before="ulimit -f 100")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.decode().splitlines() if line]
    assert re.search(r"mpi-automl: .*(ulimit -f|File too large)", line)


@pytest.mark.parametrize("ranks", [None, 2])
def test_a_low_limit_of_open_files_is_refused_at_the_start(launch, tmp_path, ranks):
    words = [sys.executable, "-m", "mpi_automl", "example", *FIT, "--out", str(tmp_path / "run")]
    done = launch(ranks, "bash", "-c", 'ulimit -n 40; exec "$@"', "bash", *words, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("Only 40 files may be open at a time here (ulimit -n); give ulimit -n 1024") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("ranks", [None, 2])
def test_a_limit_of_open_files_met_in_the_search_loses_no_trial_that_had_ended(launch, tmp_path, ranks):
    run = tmp_path / "run"
    words = ["python", "-m", "mpi_automl", "example", *FIT[4:], "--trials", "200", "--time", "30", "--out", run]
    with launch.start(ranks, *words) as job:
        limit = time.monotonic() + 80
        while not run.exists() or len(logged(run)) < 3:
            assert job.process.poll() is None and time.monotonic() < limit
            time.sleep(0.1)
        limited = [pid for pid, line in job.processes().items() if str(run) in line and "mpirun" not in line]
        for pid in limited:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3))
        done = job.wait(120)
    assert len(limited) == (ranks or 1)
    assert done.returncode == 1
    assert "Too many files are open (ulimit -n); give ulimit -n 1024 before the command." in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.survivors
    assert logged(run) <= set(RunReader(run).keys)
