"""Regret per trial of the proposer, stock SMAC and random search, on surrogate benchmarks of recorded tables.

    python jobs/benchmarks/regret.py run benchmarks/*.npz --optimisers proposer random --seeds 20 [--minutes 8]
    python jobs/benchmarks/regret.py run benchmarks/*.npz --optimisers smac --seeds 5
    python jobs/benchmarks/regret.py report [--plot regret.png]

All optimisers begin with the same configurations (the default one and 15 random ones, other ones for each seed).
Stock SMAC is smac's HyperparameterOptimizationFacade by ask and tell. ``run`` appends one JSON line to --out for each
search and leaves out those that are there already, so it may be stopped and started again. ``report`` prints the
median regret after 50, 100 and 200 trials: the lowest cost so far minus the lowest that anything in the file found on
the benchmark, relative to the distance between that and the default configuration's cost; then mean differences
between optimisers, paired by benchmark and seed, with 95 % confidence intervals from 10,000 bootstrap samples.

``--synthetic N`` takes N synthetic functions over the package's classification space in place of benchmarks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace

CHECKPOINTS = (50, 100, 200)
INITIAL = 16


def classification_space() -> ConfigurationSpace:
    """The package's own space for a table of numbers and categories with missing values."""
    from mpi_automl.data.task import ColumnKind, Profile, TaskType
    from mpi_automl.space.space import build_space

    kinds = (ColumnKind.NUMERICAL,) * 10 + (ColumnKind.CATEGORICAL,) * 10
    facts = {"n_rows": 1000, "n_columns": 20, "n_outputs": 2, "kinds": kinds, "cardinalities": (0,) * 10 + (5,) * 10}
    profile = Profile(TaskType.BINARY, **facts, has_missing=True, is_sparse=False, is_nonnegative=False)
    return build_space(profile).configspace


@dataclass(frozen=True)
class Problem:
    """Something to optimise.

    Attributes
    ----------
    name : str
    space : ConfigurationSpace
    evaluate : callable
        Cost of a vector, NaN where the trial fails, and the seconds that the trial would take.
    worst : float
        What a failure counts as where an optimiser cannot do without a number.
    """

    name: str
    space: ConfigurationSpace
    evaluate: Callable[[np.ndarray], tuple[float, float]]
    worst: float


@dataclass(frozen=True)
class Curve:
    """The trials of one search, in order.

    Attributes
    ----------
    problem, optimiser : str
    seed : int
    costs : list of float or None
        None for a failure.
    seconds : list of float
        What the trials would have taken.
    cpu_seconds : float
        That the search took, the benchmark's share included.
    """

    problem: str
    optimiser: str
    seed: int
    costs: list[float | None]
    seconds: list[float]
    cpu_seconds: float

    def best(self) -> np.ndarray:
        """Lowest cost after each trial, shape (n_trials,)."""
        costs = [np.inf if cost is None else cost for cost in self.costs]
        return np.minimum.accumulate(costs)


class SyntheticFunction:
    """A cost over a conditional space whose best value is near zero.

    It gives every choice of a component an offset and every active hyperparameter an optimum and a weight, with some
    interactions.
    """

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


def problems(arguments: argparse.Namespace) -> Iterator[Problem]:
    """What is to be optimised."""
    for number in range(arguments.synthetic):
        space = classification_space()
        yield synthetic(space, number)
    for path in arguments.benchmarks:
        yield recorded(path)


def synthetic(space: ConfigurationSpace, number: int) -> Problem:
    """A synthetic function, whose trials take a second each."""
    function = SyntheticFunction(space, number)
    return Problem(f"synthetic-{number}", space, lambda vector: (function(vector), 1.0), 100.0)


def recorded(path: Path) -> Problem:
    """A surrogate benchmark."""
    from mpi_automl.simulation.surrogate_benchmark import SurrogateBenchmark

    benchmark = SurrogateBenchmark.load(path)

    def evaluate(vector: np.ndarray) -> tuple[float, float]:
        outcome = benchmark.outcome(vector)
        return outcome.cost, outcome.seconds

    return Problem(path.stem, benchmark.configspace, evaluate, benchmark.dummy_cost)


def initial(space: ConfigurationSpace, seed: int) -> list[np.ndarray]:
    """The configurations that every optimiser begins with."""
    from mpi_automl.search.initial import initial_design

    return initial_design(space, "random", 0, 1, seed, INITIAL)


def with_proposer(problem: Problem, trials: int, seed: int, **options: Any) -> list[tuple[float, float]]:
    from mpi_automl.search.proposer import Proposer
    from mpi_automl.search.seeds import rank_seed
    from mpi_automl.trial import Status

    proposer = Proposer(problem.space, rank_seed(seed, 0), initial(problem.space, seed), **options)
    found = []
    for number in range(trials):
        vector = proposer.ask().vector
        found.append(problem.evaluate(vector))
        cost = found[-1][0]
        status = Status.CRASHED if np.isnan(cost) else Status.SUCCESS
        proposer.tell(vector[None], [cost], [status], [(0, 0, number)], foreign=False)
    return found


def with_random(problem: Problem, trials: int, seed: int) -> list[tuple[float, float]]:
    from mpi_automl.search.vectors import VectorSpace

    first = initial(problem.space, seed)
    drawn = VectorSpace(problem.space).sample(trials - len(first), np.random.RandomState(seed))
    return [problem.evaluate(vector) for vector in [*first, *drawn]]


def with_smac(problem: Problem, trials: int, seed: int) -> list[tuple[float, float]]:
    import logging
    import tempfile
    import warnings

    import smac
    from ConfigSpace import Configuration
    from smac.runhistory import TrialValue

    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Mean of empty slice|invalid value", RuntimeWarning)  # SMAC's, at every batch
    space = problem.space
    space.seed(seed)
    first = [Configuration(space, vector=vector) for vector in initial(space, seed)]
    with tempfile.TemporaryDirectory() as directory:
        scenario = smac.Scenario(space, deterministic=True, n_trials=trials, seed=seed, output_directory=directory)
        facade = smac.HyperparameterOptimizationFacade
        optimiser = facade(
            scenario,
            lambda config, seed: 0.0,
            initial_design=facade.get_initial_design(scenario, n_configs=0, additional_configs=first),
            overwrite=True,
            logging_level=False,
        )
        found = []
        for _ in range(trials):
            info = optimiser.ask()
            found.append(problem.evaluate(np.asarray(info.config.get_array())))
            # The infinite cost of a crash, SMAC's default, is one that its forest refuses.
            told = problem.worst if np.isnan(found[-1][0]) else found[-1][0]
            optimiser.tell(info, TrialValue(cost=told, time=0.1), save=False)
    return found


OPTIMISERS: dict[str, Callable[[Problem, int, int], list[tuple[float, float]]]] = {
    "proposer": with_proposer,
    "smac": with_smac,
    "random": with_random,
}


def read(path: Path) -> list[Curve]:
    """All searches so far."""
    if not path.exists():
        return []
    return [Curve(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def run(arguments: argparse.Namespace) -> None:
    """Search whatever is not in the file yet, seed by seed."""
    done = {(curve.problem, curve.optimiser, curve.seed) for curve in read(arguments.out)}
    until = time.monotonic() + 60 * arguments.minutes
    available = list(problems(arguments))
    for seed in range(arguments.seeds):
        for problem in available:
            for optimiser in arguments.optimisers:
                if (problem.name, optimiser, seed) in done:
                    continue
                if time.monotonic() > until:
                    return
                append(arguments.out, search(problem, optimiser, arguments.trials, seed))


def search(problem: Problem, optimiser: str, trials: int, seed: int) -> Curve:
    """One search."""
    began = time.process_time()
    found = OPTIMISERS[optimiser](problem, trials, seed)
    costs = [None if np.isnan(cost) else round(cost, 7) for cost, _ in found]
    seconds = [round(spent, 3) for _, spent in found]
    return Curve(problem.name, optimiser, seed, costs, seconds, round(time.process_time() - began, 2))


def append(path: Path, curve: Curve) -> None:
    """Add a search to the file, in one write."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(curve)) + "\n")
    print(
        f"{curve.problem} {curve.optimiser} seed {curve.seed}: {curve.best()[-1]:.5f}, {curve.cpu_seconds} s",
        flush=True,
    )


class Regrets:
    """Regret curves of all searches, relative to the default configuration's."""

    def __init__(self, curves: list[Curve]) -> None:
        self.names = sorted({curve.problem for curve in curves})
        lowest = {name: min(c.best()[-1] for c in curves if c.problem == name) for name in self.names}
        first = {c.problem: c.costs[0] for c in curves if c.costs[0] is not None}
        self.curves = {
            (c.problem, c.optimiser, c.seed): (c.best() - lowest[c.problem]) / (first[c.problem] - lowest[c.problem])
            for c in curves
        }
        self.optimisers = [name for name in OPTIMISERS if any(key[1] == name for key in self.curves)]

    def of(self, optimiser: str, problem: str | None = None) -> dict[tuple[str, int], np.ndarray]:
        """Curves of an optimiser by problem and seed."""
        return {
            (name, seed): curve
            for (name, found, seed), curve in self.curves.items()
            if found == optimiser and problem in (None, name)
        }

    def after(self, trials: int, optimiser: str, problem: str | None = None) -> dict[tuple[str, int], float]:
        """Regrets after so many trials, of the searches that were so long."""
        found = self.of(optimiser, problem)
        return {key: float(curve[trials - 1]) for key, curve in found.items() if len(curve) >= trials}


def interval(ours: dict[tuple[str, int], float], theirs: dict[tuple[str, int], float]) -> str:
    """Mean difference of pairs, its 95 % bootstrap interval and the number of pairs, as text."""
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        return "-"
    differences = np.array([ours[key] - theirs[key] for key in both])
    means = np.random.default_rng(0).choice(differences, (10_000, len(both))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{differences.mean():+.3f} ({low:+.3f} to {high:+.3f}; {len(both)})"


def report(arguments: argparse.Namespace) -> None:
    """Print tables, and plot."""
    curves = read(arguments.out)
    regrets = Regrets(curves)
    print("median regret (number of searches) after".ljust(42) + "".join(f"{n:>16}" for n in CHECKPOINTS))
    for name in [*regrets.names, None]:
        for optimiser in regrets.optimisers:
            found = [list(regrets.after(n, optimiser, name).values()) for n in CHECKPOINTS]
            cells = "".join(f"{np.median(v):9.3f} ({len(v):4})" if v else f"{'-':>16}" for v in found)
            print(f"  {name or 'all'} {optimiser}".ljust(42) + cells)
    first = regrets.optimisers[0]
    for other in regrets.optimisers[1:]:
        print(f"\n{first} minus {other}: mean of pairs (95 % interval; pairs); negative: {first} is better")
        for name in [*regrets.names, None]:
            cells = [interval(regrets.after(n, first, name), regrets.after(n, other, name)) for n in CHECKPOINTS]
            print(f"  {name or 'all'}".ljust(24) + "".join(f"{cell:>34}" for cell in cells))
    for optimiser in regrets.optimisers:
        spent = np.mean([c.cpu_seconds / len(c.costs) for c in curves if c.optimiser == optimiser])
        print(f"{optimiser}: {1000 * spent:.0f} ms of CPU time per trial, the benchmark's included")
    if arguments.plot:
        plot(regrets, arguments.plot)


def plot(regrets: Regrets, path: Path) -> None:
    """Mean regret against the number of trials, one panel for each benchmark."""
    from mpi_automl.report import style

    columns = min(2, len(regrets.names))
    rows = -(-len(regrets.names) // columns)
    with style.drawing():
        figure = style.figure(style.WIDE, 2.4 * rows)
        panels = figure.subplots(rows, columns, squeeze=False)
        for panel, name in zip(panels.flat, regrets.names, strict=False):
            for position, optimiser in enumerate(regrets.optimisers):
                found = list(regrets.of(optimiser, name).values())
                if found:
                    longest = min(map(len, found))
                    means = np.mean([curve[:longest] for curve in found], axis=0)
                    label = f"{optimiser} ({len(found)})"
                    panel.plot(np.arange(1, longest + 1), means, label=label, **style.line_look(position))
            panel.set(title=name, ylim=(0, 1.02), xlabel="trials", ylabel="mean regret")
            panel.legend(fontsize="small")
        for panel in panels.flat[len(regrets.names) :]:
            panel.remove()
        figure.savefig(path, dpi=90, facecolor="white")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["run", "report"])
    parser.add_argument("benchmarks", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("regret.jsonl"), help="all searches, a line each")
    parser.add_argument("--synthetic", type=int, default=0, metavar="N")
    parser.add_argument("--optimisers", nargs="+", default=["proposer", "random"], choices=list(OPTIMISERS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no search begins after these")
    parser.add_argument("--plot", type=Path, help="for report: where to draw")
    arguments = parser.parse_args()
    {"run": run, "report": report}[arguments.verb](arguments)


if __name__ == "__main__":
    main()
