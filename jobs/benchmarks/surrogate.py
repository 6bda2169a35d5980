"""Make surrogate benchmarks of recorded tables, and say how well they predict trials they have not seen.

    python jobs/benchmarks/surrogate.py jobs/benchmarks/recorded/*.npz --out benchmarks [--trial-time 3]

Reads recordings (record.py) and writes one ``NAME.npz`` for each (`mpi_automl.simulation.surrogate_benchmark`). The
table shows, from five-fold cross-validation, the rank correlation of predicted and recorded costs, over all trials
and among the best quarter, that of the durations, and the share of trials whose failure or success was predicted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from record import Recording
from scipy.stats import spearmanr

from mpi_automl.simulation.surrogate_benchmark import SurrogateBenchmark, Trials

FOLDS = 5


def trials_of(recording: Recording) -> Trials:
    """The recorded trials as a benchmark learns from them."""
    floats = (recording.vectors, recording.costs, recording.seconds)
    vectors, costs, seconds = (values.astype(np.float64) for values in floats)
    return Trials(vectors, costs, recording.statuses, seconds)


def make_benchmark(recording: Recording, trials: Trials, limit: float) -> SurrogateBenchmark:
    """Fit a benchmark to some of the trials of a recording."""
    return SurrogateBenchmark.fit(recording.table, recording.metric, recording.space, limit, trials)


def choose(trials: Trials, rows: np.ndarray) -> Trials:
    """Some of the trials."""
    return Trials(*(values[rows] for values in vars(trials).values()))


def cross_validate(recording: Recording, limit: float) -> dict[str, float]:
    """Agreement of predictions with trials that were left out."""
    trials = trials_of(recording)
    fold = np.random.default_rng(0).permutation(len(trials.costs)) % FOLDS
    costs, seconds, failures = (np.empty(len(fold)) for _ in range(3))
    for number in range(FOLDS):
        benchmark = make_benchmark(recording, choose(trials, np.flatnonzero(fold != number)), limit)
        left_out = trials.vectors[fold == number]
        costs[fold == number] = benchmark.costs.predict(left_out)
        seconds[fold == number] = benchmark.seconds.predict(left_out)
        failures[fold == number] = benchmark.failures.predict(left_out)
    good = np.isfinite(trials.costs)
    best = good & (trials.costs <= np.quantile(trials.costs[good], 0.25))
    return {
        "cost": spearmanr(costs[good], trials.costs[good]).statistic,
        "best": spearmanr(costs[best], trials.costs[best]).statistic,
        "time": spearmanr(seconds, trials.seconds).statistic,
        "fails": float(((failures > 0.5) == ~good).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    parser.add_argument("--trial-time", type=float, default=3.0, help="limit of the recorded trials")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"{'table':18}{'trials':>8}{'failed':>8}{'mean s':>8}{'cost':>8}{'best 1/4':>10}{'time':>8}{'failure':>9}")
    for path in arguments.recordings:
        recording = Recording.load(path)
        make_benchmark(recording, trials_of(recording), arguments.trial_time).save(arguments.out / path.name)
        found = cross_validate(recording, arguments.trial_time)
        print(
            f"{recording.table:18}{len(recording.costs):8}{np.isnan(recording.costs).mean():8.1%}"
            f"{recording.seconds.mean():8.2f}{found['cost']:8.2f}{found['best']:10.2f}{found['time']:8.2f}"
            f"{found['fails']:9.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
