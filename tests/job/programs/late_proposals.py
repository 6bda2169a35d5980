"""Search with simulated trials and tell how long each had run when the next one was handed out: FILE TRIALS."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import simulated_search
from simulated_search import Case, Limits, search_once

import mpi_automl.search.surrogate_training  # noqa: F401  # it would be imported, which takes seconds, by the first proposal
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.simulation.evaluator import SimulatedEvaluator
from mpi_automl.simulation.surrogate_benchmark import SurrogateBenchmark

handed_out: list[float] = []
ran: list[tuple[float, float]] = []


class NotingEvaluator(SimulatedEvaluator):
    """Notes when trials are handed out, begin and end."""

    def submit(self, *trial, **limits):
        handed_out.append(time.time())
        super().submit(*trial, **limits)

    def poll(self, timeout=0.0):
        results = super().poll(timeout)
        ran.extend((result.start, result.end) for result in results)
        return results


if __name__ == "__main__":
    file, trials = Path(sys.argv[1]), int(sys.argv[2])
    simulated_search.SimulatedEvaluator = NotingEvaluator
    world = open_world(process_start())
    case = Case("quadratic", 1, "none", 1, "random")
    limits = Limits(scale=1.0, seconds=120.0, trials=trials)
    measured = search_once(case, limits, SurrogateBenchmark.load(file), world)
    waited = [moment - start for moment, (start, _) in zip(handed_out[1:], ran, strict=False)]
    print(json.dumps({"waited": waited, "busy": measured.utilisation}))
