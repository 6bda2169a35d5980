"""Holdout beside cross-validation: with which the same time finds the better model, by size and class balance.

    python jobs/benchmarks/resampling.py measure DIRECTORY RESULTS.jsonl --only car vehicle ...
    python jobs/benchmarks/resampling.py show RESULTS.jsonl

DIRECTORY holds tables and an ``index.json`` as for tables.py. Of each table a quarter of the rows is held out. From
the others training tables of several sizes are drawn, on which the first configurations of the portfolio are
evaluated by a holdout and by five-fold cross-validation, in limited processes as in a job; what is kept are the cost
on the validation rows, the cost of the fitted models (of the folds: averaged) on the held-out rows, and the time.

``show`` replays searches: the configurations in random order, each taking the time that was measured, until the time
of so many cross-validations is used up; then the best by validation is taken. Shown is the cost on the held-out rows,
holdout minus cross-validation, on a scale where 1 is the dummy and 0 the best model that either way had.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from mpi_automl.data.load import make_task
from mpi_automl.data.resampling import make_resampling
from mpi_automl.data.shared import pack, write_packed
from mpi_automl.evaluation.evaluator import Evaluator
from mpi_automl.evaluation.setup import EvaluationSetup, training_rows_first
from mpi_automl.metrics.registry import get_metric
from mpi_automl.search.initial import initial_design
from mpi_automl.settings import Settings
from mpi_automl.space.space import build_space
from mpi_automl.trial import Origin, Trial, TrialKey

SIZES = (250, 500, 1000, 2500, 5000, 10_000, 20_000)
WAYS = ("holdout", "cv")
BUDGETS = (2, 5)
ORDERS = 500


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    measure = verbs.add_parser("measure")
    measure.add_argument("directory", type=Path)
    measure.add_argument("results", type=Path)
    measure.add_argument("--only", nargs="*", default=None)
    measure.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    measure.add_argument("--configurations", type=int, default=12)
    measure.add_argument(
        "--trial-time", type=float, default=10.0, help="of a holdout; a cross-validation gets 5 times it"
    )
    measure.add_argument("--metric", default="auto")
    measure.add_argument("--rarest", type=int, help="rows of the rarest class that are left in the training tables")
    verbs.add_parser("show").add_argument("results", type=Path)
    return parser.parse_args()


def training_tables(table: dict[str, Any], options: argparse.Namespace) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Training tables of several sizes, and the held-out rows."""
    frame = pd.read_csv(options.directory / table["file"])
    is_classes = table["task"] == "classification"
    train, test = train_test_split(frame, random_state=1, stratify=frame[table["target"]] if is_classes else None)
    sizes = sorted({size for size in options.sizes if size < len(train)} | {min(len(train), max(options.sizes))})
    for size in sizes:
        part = train
        if size < len(train):
            labels = train[table["target"]] if is_classes else None
            part, _ = train_test_split(train, train_size=size, random_state=1, stratify=labels)
        yield part if options.rarest is None else thinned(part, table["target"], options.rarest), test


def thinned(frame: pd.DataFrame, target: str, rows: int) -> pd.DataFrame:
    """A table without most of the rows of its rarest class."""
    rarest = frame[target].value_counts().idxmin()
    others = frame[frame[target] != rarest]
    return pd.concat([others, frame[frame[target] == rarest].head(rows)]).sort_index()


def evaluate(
    evaluator: Evaluator, task: Any, way: str, options: argparse.Namespace, place: Path
) -> list[dict[str, Any]]:
    """Evaluate the configurations (and first the dummy) by holdout or cross-validation."""
    metric = get_metric(options.metric, task.type, task.schema.units)
    space = build_space(task.profile)
    setup = EvaluationSetup(task, make_resampling(task, Settings(resampling=way)), space, metric)
    file = place / f"{way}-{len(task.y)}-{task.name}"
    write_packed(file, *pack(training_rows_first(setup)))
    evaluator.open(file)
    vectors = [np.full(len(space.configspace), np.nan), *initial_design(space.configspace, "portfolio", 0, 1, 1)]
    seconds = options.trial_time * (5 if way == "cv" else 1)
    found = []
    for number, vector in enumerate(vectors[: options.configurations + 1]):
        evaluator.submit(Trial(TrialKey(0, 0, number), vector, 1, Origin.INITIAL), seconds=seconds, memory=2048.0)
        while not (results := evaluator.poll(1.0)):
            continue
        result = results[0]
        spent = {"seconds": result.end - result.start}
        if result.has_cost:
            test = metric.cost(task.y_test, result.test_predictions, task.type)
            spent |= {"cost": float(result.cost), "test": float(test)}
        found.append(spent)
    file.unlink()
    return found


def measure(options: argparse.Namespace) -> None:
    tables = json.loads((options.directory / "index.json").read_text(encoding="utf-8"))
    with Evaluator.start() as evaluator, options.results.open("a") as file, tempfile.TemporaryDirectory() as place:
        for table in tables:
            if options.only is not None and table["name"] not in options.only:
                continue
            for train, test in training_tables(table, options):
                target = table["target"]
                task = make_task(
                    train.drop(columns=target),
                    train[target],
                    X_test=test.drop(columns=target),
                    y_test=test[target],
                    settings=Settings(task="auto" if table["task"] == "classification" else "regression"),
                    name=table["name"],
                )
                line = {"table": table["name"], "task": table["task"], "rows": len(train)}
                if table["task"] == "classification":
                    line["rarest"] = int(train[target].value_counts().min())
                line |= {way: evaluate(evaluator, task, way, options, Path(place)) for way in WAYS}
                file.write(json.dumps(line) + "\n")
                file.flush()
                print(line["table"], line["rows"], file=sys.stderr, flush=True)


def replay(trials: list[dict[str, Any]], order: np.ndarray, budget: float) -> float:
    """Cost on the held-out rows of what a search in this order, for this time, takes in the end."""
    best = trials[0]
    for position in order:
        budget -= trials[position]["seconds"]
        if budget < 0:
            break
        if trials[position].get("cost", np.inf) < best["cost"]:
            best = trials[position]
    return float(best["test"])


def difference(line: dict[str, Any], cross_validations: int) -> float:
    """Mean over random orders: holdout minus cross-validation."""
    rng = np.random.default_rng(0)
    known = [trial["test"] for way in WAYS for trial in line[way] if "test" in trial]
    scale = line["holdout"][0]["test"] - min(known)
    if scale <= 0:
        return float("nan")
    budget = cross_validations * float(np.mean([trial["seconds"] for trial in line["cv"][1:]]))
    differences = []
    for _ in range(ORDERS):
        order = 1 + rng.permutation(len(line["cv"]) - 1)
        differences.append(replay(line["holdout"], order, budget) - replay(line["cv"], order, budget))
    return float(np.mean(differences)) / scale


EDGES = (0, 750, 1500, 2500, 5000, 10_000, 10**9)


def group(line: dict[str, Any]) -> tuple[int, str]:
    """Number of the class of sizes, and kind of target."""
    kind = "numbers" if "rarest" not in line else "a class below 100" if line["rarest"] < 100 else "classes"
    return int(np.searchsorted(EDGES, line["rows"], side="right")), kind


def show(options: argparse.Namespace) -> None:
    groups: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for text in options.results.read_text().splitlines():
        groups[group(json.loads(text))].append(json.loads(text))
    budgets = " | ".join(f"time of {budget} CV: difference (holdout is better)" for budget in BUDGETS)
    print(f"| rows | target | tables | {budgets} | time of CV / holdout |\n|{'---|' * (4 + len(BUDGETS))}")
    for (size, kind), members in sorted(groups.items()):
        cells = []
        for budget in BUDGETS:
            found = np.array([difference(line, budget) for line in members])
            found = found[~np.isnan(found)]
            cells.append(f"{found.mean():+.3f} ({(found < 0).sum()} of {len(found)})" if len(found) else "-")
        ratio = np.median([seconds(line, "cv") / seconds(line, "holdout") for line in members])
        rows = f"{EDGES[size - 1]:,} to {EDGES[size] - 1:,}" if EDGES[size] < 10**9 else f"{EDGES[size - 1]:,} and more"
        print(f"| {rows} | {kind} | {len(members)} | {' | '.join(cells)} | {ratio:.1f} |")


def seconds(line: dict[str, Any], way: str) -> float:
    return float(sum(trial["seconds"] for trial in line[way][1:]))


def main() -> None:
    options = arguments()
    measure(options) if options.verb == "measure" else show(options)


if __name__ == "__main__":
    main()
