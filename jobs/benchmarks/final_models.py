"""Compare the models of the folds with one model fitted anew on all rows.

    python jobs/benchmarks/final_models.py DIRECTORY [--trials 15] [--seeds 1] [--results final.jsonl] [--searches 4]

The folder holds tables and an ``index.json`` as for tables.py. For each table, resampling and seed one search is made
on three quarters of the rows; the same ensemble then predicts the rest by the models of its folds, and after ``refit``.
Costs are log loss and root mean squared error. Every search is a line in the file of results, and those that are there
are not repeated.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from mpi_automl import AutoMLClassifier, AutoMLRegressor

TABLES = ("blood_transfusion", "vehicle", "credit_g", "kc1", "autompg", "boston", "concrete", "phoneme")
RESAMPLINGS = ("holdout", "cv")


def compare(table: dict[str, Any], source: Path, resampling: str, seed: int, trials: int) -> dict[str, Any]:
    """Search once, and predict the held-out rows by both kinds of models."""
    frame = pd.read_csv(source / table["file"])
    is_classification = table["task"] == "classification"
    X, y = frame.drop(columns=table["target"]), frame[table["target"]]
    split = train_test_split(X, y, random_state=seed, stratify=y if is_classification else None)
    X_train, X_test, y_train, y_test = split
    kind = AutoMLClassifier if is_classification else AutoMLRegressor
    metric = "log_loss" if is_classification else "root_mean_squared_error"
    limits = {"time": 120, "trial_time": 6, "trials": trials}
    automl = kind(metric=metric, resampling=resampling, seed=seed, **limits).fit(X_train, y_train)
    # Scores of losses are negative.
    folds = -automl.score(X_test, y_test)
    started = time.monotonic()
    refitted = -automl.refit(X_train, y_train).score(X_test, y_test)
    return {
        "table": table["name"],
        "resampling": resampling,
        "seed": seed,
        "metric": metric,
        "members": len(automl.ensemble_),
        "folds": folds,
        "refit": refitted,
        "refit_seconds": time.monotonic() - started,
    }


def read(results: Path) -> list[dict[str, Any]]:
    """Lines of results so far."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.exists() else []


def show(lines: list[dict[str, Any]]) -> None:
    """Print the table, and for each resampling how often refitting won and by how much."""
    print(
        "| table | resampling | metric | models of the folds | fitted anew | anew / folds |\n|---|---|---|---|---|---|"
    )
    for line in sorted(lines, key=lambda line: (line["resampling"], line["table"], line["seed"])):
        ratio = line["refit"] / line["folds"]
        values = f"{line['folds']:.4f} | {line['refit']:.4f} | {ratio:.3f}"
        print(f"| {line['table']} | {line['resampling']} | {line['metric']} | {values} |")
    for resampling in RESAMPLINGS:
        ratios = [line["refit"] / line["folds"] for line in lines if line["resampling"] == resampling]
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            better = sum(ratio < 1 for ratio in ratios)
            print(f"\n{resampling}: fitted anew is better in {better} of {len(ratios)}; geometric mean {mean:.3f}")


def main() -> None:
    """Make the searches that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--trials", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--results", type=Path, default=Path("final.jsonl"))
    parser.add_argument("--searches", type=int, help="stop after so many; call again for the others")
    arguments = parser.parse_args()
    known = {table["name"]: table for table in json.loads((arguments.directory / "index.json").read_text())}
    wanted = [(name, how, seed) for seed in range(1, arguments.seeds + 1) for name in TABLES for how in RESAMPLINGS]
    done = {(line["table"], line["resampling"], line["seed"]) for line in read(arguments.results)}
    missing = [search for search in wanted if search not in done]
    for name, how, seed in missing[: arguments.searches]:
        line = compare(known[name], arguments.directory, how, seed, arguments.trials)
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    show(read(arguments.results))


if __name__ == "__main__":
    main()
