"""Build a portfolio from recordings of the same candidates on several tables, and check it on tables left out.

    python jobs/benchmarks/portfolio.py jobs/benchmarks/recorded/*.npz --published askl2_portfolios_translated.json \
        --size 32 [--benchmarks benchmarks --searches regret.jsonl] [--write portfolio.json]

The matrix of candidates and tables comes from recordings (record.py with the same --published and --random). Costs
are scaled on every table from the lowest (0) to that of the default configuration (1), failures and all that is worse
count as 1. Greedy selection (Feurer et al. 2022, "Auto-sklearn 2.0", section 3; Xu, Hoos and Leyton-Brown 2010,
"Hydra") adds the candidate that lowers the mean over the tables of the lowest cost so far the most.

The check leaves out each table in turn, builds a portfolio from the others, and asks the surrogate benchmark of the
table left out for the costs of its members. Beside it stand the portfolio of the package, and searches that began at
random configurations on the same benchmark (regret.py): the number of trials after which the median search is as good
as the portfolio.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import regret
from candidates import Candidate, make_candidates
from record import SEARCHED, Recording

NOTICE = (
    "Configurations chosen by jobs/benchmarks/portfolio.py from the package's own space and from auto-sklearn's "
    "portfolios (autosklearn/experimental, BSD-3-Clause, Copyright (c) 2014-2021 AutoML Freiburg; names and values "
    "translated). Redistribution must keep this notice."
)


@dataclass(frozen=True)
class Matrix:
    """Scaled costs of all candidates on all tables.

    Attributes
    ----------
    tables : list of str
    costs : ndarray of float64, shape (n_tables, n_candidates)
        0 for the lowest cost recorded, 1 for the default configuration's and above; infinite for candidates that
        were not recorded on every table.
    """

    tables: list[str]
    costs: np.ndarray

    def without(self, table: str) -> Matrix:
        """The matrix of the other tables."""
        kept = [i for i, name in enumerate(self.tables) if name != table]
        return Matrix([self.tables[i] for i in kept], self.costs[kept])


def make_matrix(recordings: list[Recording], n_candidates: int) -> Matrix:
    """Costs of candidates."""
    rows = []
    recorded = [set(recording.candidates.tolist()) for recording in recordings]
    unknown = sorted(set(range(n_candidates)) - set.intersection(*recorded))
    for recording in recordings:
        row = np.full(n_candidates, np.nan)
        known = recording.candidates != SEARCHED
        row[recording.candidates[known]] = recording.costs[known]
        lowest = float(np.nanmin(recording.costs))
        scaled = (row - lowest) / max(row[0] - lowest, 1e-12)
        row = np.where(np.isnan(scaled), 1.0, np.minimum(scaled, 1.0))
        row[unknown] = np.inf
        rows.append(row)
    return Matrix([recording.table for recording in recordings], np.array(rows))


def greedy(matrix: Matrix, size: int) -> list[int]:
    """Candidates in the order in which they complement each other and the default, which every search begins with.

    Where no candidate lowers the mean any more, selection begins anew among those that are left: with few tables that
    comes soon, and a second set that complements itself serves a further table better than the best on average.
    """
    best = matrix.costs[:, 0]
    is_left = np.isfinite(matrix.costs[0])
    is_left[0] = False
    chosen: list[int] = []
    while len(chosen) < size and is_left.any():
        means = np.where(is_left, np.minimum(best[:, None], matrix.costs).mean(axis=0), np.inf)
        pick = int(np.argmin(means))
        if means[pick] >= best.mean() - 1e-9:
            if (best == matrix.costs[:, 0]).all():
                pick = int(np.argmin(np.where(is_left, matrix.costs.mean(axis=0), np.inf)))
            else:
                best = matrix.costs[:, 0]
                continue
        chosen.append(pick)
        is_left[pick] = False
        best = np.minimum(best, matrix.costs[:, pick])
    return chosen


@dataclass(frozen=True)
class LeftOut:
    """What a portfolio reached on a table that it was not built from.

    Attributes
    ----------
    table : str
    own, package : float
        Lowest cost of the portfolio, and of the head of the package's present one that is as long.
    trials_own, trials_package : float
        Trials that the median search without a portfolio needs for as much; infinite if it never got there.
    """

    table: str
    own: float
    package: float
    trials_own: float
    trials_package: float


def check(matrix: Matrix, candidates: list[Candidate], size: int, benchmarks: Path, searches: Path) -> list[LeftOut]:
    """Leave every table out in turn that there are searches for."""
    curves = [curve for curve in regret.read(searches) if curve.optimiser == "proposer"]
    found = []
    for table in sorted({curve.problem for curve in curves} & set(matrix.tables)):
        problem = regret.recorded(benchmarks / f"{table}.npz")
        own = lowest(problem, [candidates[i] for i in greedy(matrix.without(table), size)])
        package = lowest(problem, [candidates[i] for i in range(1, size + 1)])
        reached = np.array([curve.best() for curve in curves if curve.problem == table])
        found.append(LeftOut(table, own, package, trials_to(reached, own), trials_to(reached, package)))
    return found


def lowest(problem: regret.Problem, configurations: list[Candidate]) -> float:
    """The lowest cost of some configurations and the default one on a benchmark."""
    from mpi_automl.search.portfolio import adapt_configuration
    from mpi_automl.search.vectors import VectorSpace

    space = VectorSpace(problem.space)
    adapted = [adapt_configuration(space, configuration) for configuration in configurations]
    vectors = [space.default, *[vector for vector in adapted if vector is not None]]
    return float(np.nanmin([problem.evaluate(vector)[0] for vector in vectors]))


def trials_to(reached: np.ndarray, cost: float) -> float:
    """Trials after which the median of searches, shape (n_searches, n_trials), is as low as a cost."""
    there = np.flatnonzero(np.median(reached, axis=0) <= cost)
    return float(there[0] + 1) if len(there) else np.inf


def print_check(found: list[LeftOut], size: int, longest: int) -> None:
    """A line for each table, and the medians."""

    def text(trials: float) -> str:
        return f"> {longest}" if np.isinf(trials) else f"{trials:.0f}"

    print(f"\nleft out, {size} trials".ljust(26) + "own: cost    as a search of    package's: cost    as a search of")
    for row in found:
        print(
            f"{row.table:24}{row.own:11.4f}{text(row.trials_own):>18}{row.package:19.4f}{text(row.trials_package):>18}"
        )
    middles = [float(np.median([getattr(row, name) for row in found])) for name in ("trials_own", "trials_package")]
    print(f"{'median':24}{'':11}{text(middles[0]):>18}{'':19}{text(middles[1]):>18}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--published", type=Path, help="as record.py was given it")
    parser.add_argument("--random", type=int, default=220, help="as record.py was given it")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--benchmarks", type=Path, help="surrogate benchmarks of the same tables")
    parser.add_argument("--searches", type=Path, help="regret.py's file of searches on these")
    parser.add_argument("--write", type=Path, help="where to write the portfolio of all tables")
    arguments = parser.parse_args()
    candidates = make_candidates(arguments.random, arguments.published)
    recordings = [Recording.load(path) for path in arguments.recordings]
    matrix = make_matrix(recordings, len(candidates))
    chosen = greedy(matrix, arguments.size)
    reached = np.minimum.accumulate(matrix.costs[:, [0, *chosen]], axis=1).mean(axis=0)
    n_known = int(np.isfinite(matrix.costs[0]).sum())
    print(f"{n_known} candidates on {len(matrix.tables)} tables; mean scaled cost after each member:")
    print(" ".join(f"{value:.3f}" for value in reached[1:]))
    print("learners:", ", ".join(str(candidates[i]["classifier:__choice__"]) for i in chosen))
    if arguments.benchmarks and arguments.searches:
        found = check(matrix, candidates, arguments.size, arguments.benchmarks, arguments.searches)
        print_check(found, arguments.size, 200)
    if arguments.write:
        content = {"notice": NOTICE, "configurations": [candidates[i] for i in chosen]}
        arguments.write.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
