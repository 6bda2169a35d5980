"""A search of real ranks with simulated trials, as the scaling benchmark makes it."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from launching import CHECKOUT

from mpi_automl.simulation.surrogate_benchmark import SurrogateBenchmark, Trials
from mpi_automl.trial import Status

RANKS, TRIALS = 3, 8


PROGRAM = CHECKOUT / "jobs" / "benchmarks" / "simulated_search.py"


def make_benchmark(directory, seconds):
    """Costs of a quadratic function of two numbers; trials take as long as is given, or so much more with the first."""
    space = ConfigurationSpace({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    vectors = np.random.default_rng(0).random((200, 2))
    costs = 0.01 + ((vectors - 0.3) ** 2).sum(axis=1)
    lengths = seconds[0] + seconds[1] * vectors[:, 0]
    trials = Trials(vectors, costs, np.full(200, Status.SUCCESS, np.int8), lengths)
    path = directory / "quadratic.npz"
    SurrogateBenchmark.fit("quadratic", "accuracy", json.dumps(space.to_serialized_dict()), 1.0, trials).save(path)
    return path


@pytest.fixture
def benchmark_file(tmp_path):
    return make_benchmark(tmp_path, (0.02, 0.04))


def test_ranks_share_what_simulated_trials_cost(launch, benchmark_file, tmp_path):
    case = {"benchmark": "quadratic", "ranks": RANKS, "seed": 1, "initial": "random"}
    request = {
        "cases": [{**case, "share": share} for share in ("history", "none")],
        "limits": {"scale": 1.0, "seconds": 60.0, "trials": TRIALS},
        "targets": {},
        "benchmarks": {"quadratic": str(benchmark_file)},
        "out": str(tmp_path / "found.jsonl"),
    }
    done = launch(RANKS, "python", PROGRAM, json.dumps(request), timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shared, alone = (json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines())
    assert (shared["case"]["share"], alone["case"]["share"]) == ("history", "none")
    for found in (shared, alone):
        assert found["trials"] == RANKS * TRIALS
        costs = [cost for _, cost, _ in found["trace"]]
        assert costs == sorted(costs, reverse=True)
        assert 0.01 <= costs[-1] < costs[0] < 1.1
        # Eight trials of at least 20 ms follow one another on every rank.
        assert found["wall_seconds"] > TRIALS * 0.02
        assert 0.0 < found["utilisation"] <= 1.0
    # Every rank received what the others finished.
    assert shared["received"] == RANKS * (RANKS - 1) * TRIALS
    assert alone["received"] == 0


@pytest.mark.slow
def test_the_next_trial_is_proposed_late_in_the_present_one(tmp_path):
    program = Path(__file__).parent / "programs" / "late_proposals.py"
    path = os.pathsep.join([str(PROGRAM.parent), str(CHECKOUT)])
    benchmark = make_benchmark(tmp_path, (0.5, 0.0))
    done = subprocess.run(
        [sys.executable, program, benchmark, "14"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    # Nothing is known of durations at first, so the next trial is made sure of; then it is put off.
    assert np.median(found["waited"][:3]) < 0.2
    assert np.median(found["waited"][-6:]) > 0.25
    assert found["busy"] > 0.7


@pytest.mark.slow
def test_ranks_in_virtual_time_share_and_end_at_the_target(tmp_path, benchmark_file, monkeypatch):
    monkeypatch.syspath_prepend(PROGRAM.parent)
    simulated_search = import_module("simulated_search")
    virtual_search = import_module("virtual_search")
    benchmark = SurrogateBenchmark.load(benchmark_file)
    limits = simulated_search.Limits(scale=1.0, seconds=2.0)

    def search(share, **more):
        case = simulated_search.Case("quadratic", 4, share, 1, "random")
        return virtual_search.search_once(case, replace(limits, **more), benchmark)

    history, alone = search("history"), search("none")
    assert alone.trials > 0
    assert alone.received == 0
    # All have received what ended before their last proposal.
    assert 3 * (history.trials - 4 * 8) < history.received <= 3 * history.trials
    costs = [cost for _, cost, _ in history.trace]
    assert costs == sorted(costs, reverse=True)
    assert [point[:2] for point in search("history").trace] == [point[:2] for point in history.trace]
    reached = search("history", target=costs[1])
    assert reached.trace[-1][0] == history.trace[1][0]
    assert search("history", trials=5).trials == 20
