"""What greedy selection should go by where accuracy counts: held-out accuracy of the ensembles of finished runs.

    python jobs/benchmarks/selection_metric.py RUN ... [--by same log_loss brier_score] [--subsets 8]

The runs are of classification tables, with a test table. From random parts of each one's trials (70 %) an ensemble is
selected by each of the metrics, and scored on the test rows. Shown are the accuracy with the first, and the rows that
the others decide better, as means over the parts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mpi_automl.ensemble.combination import combine
from mpi_automl.runs.run import Run
from mpi_automl.runs.selection import DUMMY, EnsembleRules, build_from, candidates_among

SHARE = 0.7


def right_rows(run: Run, by: str, part: int) -> int:
    """Test rows that the ensemble of a part of the trials decides rightly."""
    reader, dummy = run.reader, run.dummy
    keys = [key for key in reader.best(len(reader)) if key != dummy]
    chosen = np.random.default_rng(part).random(len(keys)) < SHARE
    some = [key for key, is_in in zip(keys, chosen, strict=True) if is_in] or keys
    ensemble = build_from(candidates_among(run, EnsembleRules(50, 50, part, select_by=by), some), reader)
    members = [dummy] if ensemble.method == DUMMY else list(ensemble.weights)
    tests = reader.test_predictions(members)
    assert tests is not None
    mean = combine(ensemble.combination, dict(zip(members, tests, strict=True)))
    return int((mean.argmax(axis=1) == reader.test_truth()).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--by", nargs="+", default=["same", "log_loss", "brier_score"])
    parser.add_argument("--subsets", type=int, default=8)
    arguments = parser.parse_args()
    first, *others = arguments.by
    print(f"| run | test rows | accuracy, by {first} | {' | '.join(f'by {name}: rows more' for name in others)} |")
    print(f"|{'---|' * (3 + len(others))}")
    gains = []
    for path in arguments.runs:
        run = Run(path, "accuracy")
        n_rows = len(run.reader.test_truth())
        right = np.array(
            [[right_rows(run, by, part) for part in range(arguments.subsets)] for by in arguments.by]
        ).mean(axis=1)
        gains.append((right[1:] - right[0]) / n_rows)
        cells = " | ".join(f"{value:+.1f}" for value in right[1:] - right[0])
        print(f"| {path.name} | {n_rows} | {right[0] / n_rows:.4f} | {cells} |", flush=True)
    for name, own in zip(others, np.array(gains).T, strict=True):
        print(f"by {name}: {100 * own.mean():+.2f} % of the rows, better on {(own > 0).sum()} of {len(own)} runs")


if __name__ == "__main__":
    main()
