"""Time and memory of one proposal, retraining included, beside stock SMAC on the same history.

    python jobs/benchmarks/proposer.py --trials 100 1000 10000 --smac 100 500

The history is a random sample of the package's own classification space with synthetic costs. Each size runs
in a process of its own; times are medians over several proposals, in wall and in CPU seconds (SMAC
retrains for every eighth proposal, so its time is the one of an ask that retrains). Memory is what the process grew by.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from regret import SyntheticFunction, classification_space  # noqa: E402  # a neighbour of this script


def memory() -> float:
    """MiB that this process has occupied at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def history(space, n: int) -> tuple[np.ndarray, np.ndarray]:
    from mpi_automl.search.vectors import VectorSpace

    vectors = VectorSpace(space).sample(n, np.random.RandomState(0))
    function = SyntheticFunction(space, 0)
    return vectors, np.array([function(vector) for vector in vectors])


def time_proposer(n: int, repeats: int) -> dict[str, float]:
    from mpi_automl.search.proposer import Proposer

    space = classification_space()
    vectors, costs = history(space, n)
    proposer = Proposer(space, 1, random_share=0.0)
    proposer.tell(vectors[:50], costs[:50], np.ones(50), [(0, 1, i) for i in range(50)], foreign=True)
    proposer.ask()
    before = memory()
    proposer.tell(vectors, costs, np.ones(n), [(0, 1, i) for i in range(n)], foreign=True)
    wall, cpu = [], []
    for number in range(repeats):
        start = time.process_time()
        proposal = proposer.ask()
        cpu.append(time.process_time() - start)
        wall.append(proposal.seconds)
        proposer.tell(proposal.vector[None], [costs[number]], [1], [(0, 0, number)], foreign=False)
    return {"wall": float(np.median(wall)), "cpu": float(np.median(cpu)), "memory": memory() - before}


def time_smac(n: int, repeats: int) -> dict[str, float]:
    import logging
    import tempfile
    import warnings

    import smac
    from ConfigSpace import Configuration
    from smac.runhistory import TrialInfo, TrialValue

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    space = classification_space()
    vectors, costs = history(space, n)
    with tempfile.TemporaryDirectory() as directory:
        scenario = smac.Scenario(space, deterministic=True, n_trials=10**6, seed=1, output_directory=directory)
        facade = smac.HyperparameterOptimizationFacade
        design = facade.get_initial_design(scenario, n_configs=1)
        options = {"initial_design": design, "overwrite": True, "logging_level": False}
        random_design = facade.get_random_design(scenario, probability=0.0)
        optimiser = facade(scenario, lambda config, seed: 0.0, random_design=random_design, **options)
        before = memory()
        for vector, cost in zip(vectors, costs, strict=True):
            optimiser.tell(TrialInfo(Configuration(space, vector=vector), seed=0), TrialValue(cost=cost), save=False)
        optimiser.ask()
        wall, cpu = [], []
        for _ in range(repeats):
            elapsed, start = [], time.process_time()
            # The first proposal after a round of eight is the one that retrains.
            for _ in range(8):
                begun = time.perf_counter()
                info = optimiser.ask()
                elapsed.append(time.perf_counter() - begun)
                optimiser.tell(info, TrialValue(cost=float(costs[0])), save=False)
            wall.append(max(elapsed))
            cpu.append(time.process_time() - start)
    return {"wall": float(np.median(wall)), "cpu": float(np.median(cpu)), "memory": memory() - before}


def in_a_process(what: str, n: int, repeats: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", what, "--trials", str(n), "--repeats", str(repeats)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", nargs="+", type=int, default=[100, 1000, 10000])
    parser.add_argument("--smac", nargs="*", type=int, default=[100, 500], help="sizes to run stock SMAC at as well")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--one", choices=["proposer", "smac"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure = time_proposer if arguments.one == "proposer" else time_smac
        print(json.dumps(measure(arguments.trials[0], arguments.repeats)))
        return
    space = classification_space()
    print(f"{len(space)} hyperparameters, {len(space.forbidden_clauses)} forbidden clauses")
    print(f"{'trials':>8}{'ask, wall':>14}{'ask, CPU':>14}{'memory':>12}{'SMAC, wall':>14}{'memory':>12}{'ratio':>8}")
    for n in sorted({*arguments.trials, *arguments.smac}):
        ours = in_a_process("proposer", n, arguments.repeats)
        line = f"{n:8}{1000 * ours['wall']:11.0f} ms{1000 * ours['cpu']:11.0f} ms{ours['memory']:8.0f} MiB"
        if n in arguments.smac:
            theirs = in_a_process("smac", n, 2)
            ratio = theirs["wall"] / ours["wall"]
            line += f"{1000 * theirs['wall']:11.0f} ms{theirs['memory']:8.0f} MiB{ratio:8.0f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
