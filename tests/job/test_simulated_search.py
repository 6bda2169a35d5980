"""A search of real ranks with simulated trials, as the scaling benchmark makes it."""

import json

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from launching import CHECKOUT

from mpi_automl.evaluation.surrogate_benchmark import SurrogateBenchmark, Trials
from mpi_automl.trial import Status

RANKS, TRIALS = 3, 8


@pytest.fixture(scope="module")
def benchmark_file(tmp_path_factory):
    """Cost and duration of a quadratic function of two numbers; trials take 20 ms to 60 ms."""
    space = ConfigurationSpace({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    vectors = np.random.default_rng(0).random((200, 2))
    costs = 0.01 + ((vectors - 0.3) ** 2).sum(axis=1)
    trials = Trials(vectors, costs, np.full(200, Status.SUCCESS, np.int8), 0.02 + 0.04 * vectors[:, 0])
    path = tmp_path_factory.mktemp("benchmark") / "quadratic.npz"
    SurrogateBenchmark.fit("quadratic", "accuracy", json.dumps(space.to_serialized_dict()), 1.0, trials).save(path)
    return path


def test_ranks_share_what_simulated_trials_cost(launch, benchmark_file, tmp_path):
    case = {"benchmark": "quadratic", "ranks": RANKS, "seed": 1, "initial": "random"}
    request = {
        "cases": [{**case, "share": share} for share in ("history", "none")],
        "limits": {"scale": 1.0, "seconds": 60.0, "trials": TRIALS},
        "targets": {},
        "benchmarks": {"quadratic": str(benchmark_file)},
        "out": str(tmp_path / "found.jsonl"),
    }
    program = CHECKOUT / "jobs" / "benchmarks" / "simulated_search.py"
    done = launch(RANKS, "python", program, json.dumps(request), timeout=120, cwd=tmp_path)
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
    # Every rank was told what the others finished.
    assert shared["told"] == RANKS * (RANKS - 1) * TRIALS
    assert alone["told"] == 0
