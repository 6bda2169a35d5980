"""Regret per trial of the proposer, stock SMAC and random search on synthetic functions over the real search space.

    python jobs/benchmarks/regret.py --seeds 10 --trials 200 --optimisers proposer random smac

A synthetic function gives every choice of a component an offset and every active hyperparameter an
optimum and a weight, with some interactions, so that its best value is known. Regret is the cost found so
far minus that best value; the table shows its median over functions and seeds, and the share of pairs in which
the first optimiser named is at least as good as each other one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace

CHECKPOINTS = (25, 50, 100, 200, 400, 800)


def classification_space() -> ConfigurationSpace:
    """The package's own space for a table of numbers and categories."""
    from mpi_automl.data.task import ColumnKind, Profile, TaskType
    from mpi_automl.space.space import build_space

    kinds = (ColumnKind.NUMERICAL,) * 10 + (ColumnKind.CATEGORICAL,) * 10
    facts = {"n_rows": 1000, "n_columns": 20, "n_outputs": 2, "kinds": kinds, "cardinalities": (0,) * 10 + (5,) * 10}
    profile = Profile(TaskType.BINARY, **facts, has_missing=True, is_sparse=False, is_nonnegative=False)
    return build_space(profile).configspace


class SyntheticFunction:
    """A cost over a conditional space whose best value is near zero."""

    def __init__(self, space: ConfigurationSpace, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.tables, n = [], len(space)
        for hp in space.values():
            if isinstance(hp, CategoricalHyperparameter):
                offsets = rng.exponential(0.3 if space.children_of[hp.name] else 0.05, len(hp.choices))
                self.tables.append(offsets - offsets.min())
            else:
                self.tables.append(None)
        self.optimum = rng.random(n)
        self.weight = rng.exponential(1.0, n) * (rng.random(n) < 0.5)
        self.pairs = rng.integers(n, size=(2 * n, 2))
        self.upper = np.array([float(hp.upper_vectorized) for hp in space.values()])

    def __call__(self, vector: np.ndarray) -> float:
        """Cost of a configuration, at least 0."""
        cost = 0.001
        distance = np.zeros(len(vector))
        for i, table in enumerate(self.tables):
            if np.isnan(vector[i]):
                continue
            if table is not None:
                cost += table[int(vector[i])]
            else:
                distance[i] = vector[i] / max(self.upper[i], 1.0) - self.optimum[i]
        left, right = distance[self.pairs[:, 0]], distance[self.pairs[:, 1]]
        return float(cost + (self.weight * distance**2).sum() * 0.3 + 2.0 * ((left * right) ** 2).sum())


def with_proposer(space: ConfigurationSpace, function: Callable, trials: int, seed: int, **options) -> list[float]:
    from mpi_automl.search.initial import initial_design
    from mpi_automl.search.proposer import Proposer
    from mpi_automl.search.seeds import rank_seed

    proposer = Proposer(space, rank_seed(seed, 0), initial_design(space, "random", 0, 1, seed), **options)
    costs = []
    for number in range(trials):
        vector = proposer.ask().vector
        costs.append(function(vector))
        proposer.tell(vector[None], [costs[-1]], [1], [(0, 0, number)], foreign=False)
    return costs


def with_random(space: ConfigurationSpace, function: Callable, trials: int, seed: int) -> list[float]:
    from mpi_automl.search.vectors import VectorSpace

    return [function(vector) for vector in VectorSpace(space).sample(trials, np.random.RandomState(seed))]


def with_smac(space: ConfigurationSpace, function: Callable, trials: int, seed: int) -> list[float]:
    import logging
    import tempfile

    import smac
    from smac.runhistory import TrialValue

    logging.disable(logging.CRITICAL)
    space.seed(seed)
    with tempfile.TemporaryDirectory() as directory:
        scenario = smac.Scenario(space, deterministic=True, n_trials=trials, seed=seed, output_directory=directory)
        facade = smac.HyperparameterOptimizationFacade
        optimiser = facade(
            scenario,
            lambda config, seed: 0.0,
            initial_design=facade.get_initial_design(scenario, n_configs=15),
            overwrite=True,
            logging_level=False,
        )
        costs = []
        for _ in range(trials):
            info = optimiser.ask()
            costs.append(function(np.asarray(info.config.get_array())))
            optimiser.tell(info, TrialValue(cost=costs[-1], time=0.1), save=False)
    return costs


OPTIMISERS: dict[str, Callable] = {"proposer": with_proposer, "random": with_random, "smac": with_smac}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="functions, each searched with its own seed")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--optimisers", nargs="+", default=["proposer", "random"], choices=list(OPTIMISERS))
    arguments = parser.parse_args()
    space = classification_space()
    print(f"{len(space)} hyperparameters, {arguments.seeds} functions, {arguments.trials} trials each")
    found: dict[str, np.ndarray] = {}
    for name in arguments.optimisers:
        start = time.process_time()
        rows = [
            OPTIMISERS[name](space, SyntheticFunction(space, seed), arguments.trials, seed)
            for seed in range(arguments.seeds)
        ]
        found[name] = np.minimum.accumulate(np.array(rows), axis=1)
        seconds = (time.process_time() - start) / arguments.seeds / arguments.trials
        print(f"{name}: {1000 * seconds:.0f} ms of CPU per trial", flush=True)
    report(found, [n for n in CHECKPOINTS if n <= arguments.trials])


def report(found: dict[str, np.ndarray], checkpoints: list[int]) -> None:
    print("\nmedian regret after     " + "".join(f"{n:>10}" for n in checkpoints))
    for name, curve in found.items():
        print(f"{name:24}" + "".join(f"{np.median(curve[:, n - 1]):10.4f}" for n in checkpoints))
    first, *others = found
    for name in others:
        shares = [(found[first][:, n - 1] <= found[name][:, n - 1]).mean() for n in checkpoints]
        print(f"{first} <= {name}".ljust(24) + "".join(f"{share:10.0%}" for share in shares))


if __name__ == "__main__":
    main()
