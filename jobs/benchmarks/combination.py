"""Ways to combine recorded predictions, and to scale the probabilities: what they are worth on held-out rows.

    python jobs/benchmarks/record_predictions.py DIRECTORY --out recorded
    python jobs/benchmarks/combination.py measure results.jsonl recorded/*.npz
    python jobs/benchmarks/combination.py show results.jsonl

From the out-of-fold predictions of all rows, and of random parts of 100 and 300 rows, an ensemble is selected by each
of `RULES` and judged on the held-out rows by the metric that it is selected for. Shown is the change of the cost (1 -
AUC, error rate, log loss, root mean squared error) against one selection by all rows, as a geometric mean over the
tables, and on how many tables it fell.

Each ensemble of the package is then calibrated; shown is the change of the log loss on the held-out rows, with a
temperature alone and as the package does it. A rule that is measured on a table already is not measured again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from record_predictions import Recording

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.bagging import select_bagged
from mpi_automl.ensemble.build import Candidates, build_ensemble, selection_metric
from mpi_automl.ensemble.calibration import calibrate
from mpi_automl.ensemble.greedy import GreedyOptions, select
from mpi_automl.ensemble.row_folds import fold_numbers
from mpi_automl.metrics.metric import Metric
from mpi_automl.metrics.registry import get_metric
from mpi_automl.metrics.scorers import defined_cost, order_by_class
from mpi_automl.trial import TrialKey

SIZES = (100, 300, 10**9)
METRICS = {
    TaskType.BINARY: ("roc_auc", "log_loss", "accuracy"),
    TaskType.MULTICLASS: ("log_loss", "accuracy", "roc_auc"),
    TaskType.REGRESSION: ("root_mean_squared_error",),
}
Weights = np.ndarray


class Problem:
    """Candidates to combine: rows to select by, and the metrics."""

    def __init__(self, recording: Recording, name: str, rows: np.ndarray, seed: int) -> None:
        self.task_type, self.seed = recording.task_type, seed
        self.metric = get_metric(name, self.task_type)
        self.own_select_by = selection_metric(self.metric, "auto", self.task_type)
        # Selection by the Brier score under accuracy has its own benchmark.
        self.select_by = self.own_select_by if name == "accuracy" else None
        order = order_by_class(recording.y[rows], self.task_type)
        rows = rows if order is None else rows[order]
        self.y, self.predictions = recording.y[rows], np.ascontiguousarray(recording.predictions[:, rows])

    def options(self, **given: Any) -> GreedyOptions:
        """Of a selection of 50 rounds, unless something else is given."""
        return GreedyOptions(**{"size": 50, "seed": self.seed, "select_by": self.select_by, **given})

    def weights(self, selection: Any) -> Weights:
        """Of all candidates, in their order."""
        return np.array([selection.weights.get(number, 0.0) for number in range(len(self.predictions))])

    def select(self, candidates: slice | np.ndarray = np.s_[:], **given: Any) -> Weights:
        """Weights of one selection among some candidates."""
        known = np.arange(len(self.predictions))[candidates]
        arguments = self.y, self.metric, self.task_type, self.options(**given), known.tolist()
        return self.weights(select(self.predictions[known], *arguments))


def sorted_start(problem: Problem) -> Weights:
    """Greedy selection from the best 1 to 25 candidates, as many as are best together (section 2.3 of the paper)."""
    judge = problem.select_by or problem.metric
    costs = [cost_of(judge, problem, member) for member in problem.predictions]
    order = np.argsort(costs, kind="stable")[:25]
    means = np.cumsum(problem.predictions[order], axis=0, dtype=float)
    best = int(np.argmin([cost_of(judge, problem, total / (n + 1)) for n, total in enumerate(means)]))
    picks, total = order[: best + 1].tolist(), means[best].copy()
    found = cost_of(judge, problem, total / len(picks)), list(picks)
    while len(picks) < 50:
        costs = [cost_of(judge, problem, (total + member) / (len(picks) + 1)) for member in problem.predictions]
        picks.append(int(np.argmin(costs)))
        total += problem.predictions[picks[-1]]
        found = min(found, (min(costs), list(picks)), key=lambda one: one[0])
    return np.bincount(found[1], minlength=len(problem.predictions)) / len(found[1])


def cost_of(judge: Metric, problem: Problem, mean: np.ndarray) -> float:
    return defined_cost(judge, problem.y, problem.task_type, mean)


def bags_of_candidates(problem: Problem) -> Weights:
    """20 selections, each from a random half of the candidates (section 2.3 of the paper)."""
    draw = np.random.default_rng(problem.seed)
    n = len(problem.predictions)
    return np.mean([problem.select(np.sort(draw.permutation(n)[: (n + 1) // 2])) for _ in range(20)], axis=0)


def bags_of_rows(problem: Problem, bags: int, **given: Any) -> Weights:
    """Selections from halves of the rows, without the check."""
    options = problem.options(bags=bags, **given)
    return problem.weights(select_bagged(problem.predictions, problem.y, problem.metric, problem.task_type, options))


def checked(problem: Problem, method: str = "greedy") -> Weights:
    """What the package does: bags of rows, or the single best if that is better on rows that were left out."""
    keys = tuple(TrialKey(0, 0, number) for number in range(len(problem.predictions)))
    candidates = Candidates(keys, problem.predictions)
    options = problem.options(bags=10, select_by=problem.own_select_by)
    found = build_ensemble(candidates, problem.y, problem.metric, problem.task_type, options, method)
    return np.array([found.weights.get(key, 0.0) for key in keys])


REFERENCE, PACKAGE = "one selection by all rows", "the package"
RULES: dict[str, Callable[[Problem], Weights]] = {
    REFERENCE: lambda problem: problem.select(patience=50),
    "the same, ends after 15 rounds without gain": lambda problem: problem.select(),
    "sorted start": sorted_start,
    "20 bags of candidates": bags_of_candidates,
    "10 bags of rows": lambda problem: bags_of_rows(problem, 10),
    "20 bags of rows": lambda problem: bags_of_rows(problem, 20),
    PACKAGE: checked,
    "single best": lambda problem: checked(problem, "single_best"),
}
BY_LOG_LOSS = "10 bags of rows, by log loss"
CALIBRATIONS = ("temperature", "package")


def parts(recording: Recording, seeds: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Size, seed and rows of the validation sets."""
    for size in SIZES:
        everything = size >= len(recording.y)
        for seed in range(1 if everything else seeds):
            n_folds = 1 if everything else max(2, round(len(recording.y) / size))
            yield size, seed, np.flatnonzero(fold_numbers(recording.y, recording.task_type, n_folds, seed) == 0)


def measure(recording: Recording, seeds: int, known: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """One line for each validation set, metric and rule that is not known."""
    for size, seed, rows in parts(recording, seeds):
        for name in METRICS[recording.task_type]:
            problem = Problem(recording, name, rows, seed)
            rules = rules_of(name, problem.task_type)
            for rule, find in rules.items():
                if (name, rule) in known:
                    continue
                started = time.perf_counter()
                weights = find(problem)
                line = {"table": recording.name, "size": size, "seed": seed, "metric": name, "rule": rule}
                line["kind"] = problem.task_type.value
                line |= {"seconds": time.perf_counter() - started, "members": int((weights > 0).sum())}
                held_out = np.tensordot(weights, recording.held_out, 1)
                line["cost"] = problem.metric.cost(recording.y_held_out, held_out, problem.task_type)
                if rule == PACKAGE and problem.task_type.is_classification:
                    line |= log_losses(recording, problem, weights)
                yield line


def rules_of(name: str, task_type: TaskType) -> dict[str, Callable[[Problem], Weights]]:
    """All rules; of ROC AUC of several classes, whose scorer is slow, the most important ones."""
    if name != "roc_auc":
        return RULES
    log_loss = get_metric("log_loss", task_type)
    rules = {**RULES, BY_LOG_LOSS: lambda problem: bags_of_rows(problem, 10, select_by=log_loss)}
    few = (REFERENCE, BY_LOG_LOSS, PACKAGE, "single best")
    return rules if task_type is TaskType.BINARY else {rule: rules[rule] for rule in few}


def log_losses(recording: Recording, problem: Problem, weights: Weights) -> dict[str, float]:
    """Log losses on the held-out rows, before and after calibration."""
    own, held_out = (np.tensordot(weights, values, 1) for values in (problem.predictions, recording.held_out))
    log_loss, kind = get_metric("log_loss", problem.task_type), problem.task_type
    decisions = get_metric("accuracy", kind)
    found = {"none": log_loss.cost(recording.y_held_out, held_out, kind)}
    for name, metric in zip(CALIBRATIONS, (decisions, problem.metric), strict=True):
        scaling = calibrate(own, problem.y, metric, kind, problem.seed)
        after = held_out if scaling is None else scaling(held_out)
        found[name] = log_loss.cost(recording.y_held_out, after, kind)
    return found


def show(lines: list[dict[str, Any]]) -> None:
    """Two tables in Markdown."""
    by_case = defaultdict(dict)
    for line in lines:
        name = f"{line['metric']}, several classes" if several_classes(line) else line["metric"]
        by_case[name, line["size"], line["table"], line["seed"]][line["rule"]] = line
    columns = sorted({case[:2] for case in by_case}, key=str)
    columns = [(metric, size) for metric in dict.fromkeys(m for m, _ in columns) for size in SIZES]
    heads = " | ".join(f"{metric}, {size if size < 10**9 else 'all'}" for metric, size in columns)
    print(f"| rule | {heads} | members | s |\n|{'---|' * (len(columns) + 3)}")
    for rule in (*RULES, BY_LOG_LOSS):
        own = [line for line in lines if line["rule"] == rule]
        if not own:
            continue
        cells = [
            change(by_case, column, lambda case, r=rule: (case[r]["cost"], case[REFERENCE]["cost"]), rule)
            for column in columns
        ]
        members, seconds = (np.mean([line[name] for line in own]) for name in ("members", "seconds"))
        print(f"| {rule} | {' | '.join(cells)} | {members:.1f} | {seconds:.3f} |")
    print()
    for name in CALIBRATIONS:
        cells = [
            change(by_case, column, lambda case, n=name: (case[PACKAGE][n], case[PACKAGE]["none"]), PACKAGE, name)
            for column in columns
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def several_classes(line: dict[str, Any]) -> bool:
    """Whether it is of ROC AUC of several classes, which has columns of its own."""
    return line["metric"] == "roc_auc" and line["kind"] == TaskType.MULTICLASS.value


def change(by_case: Any, column: tuple[str, int], pair: Any, rule: str, field: str = "cost") -> str:
    """Change in per cent, and on how many tables it is a gain."""
    by_table = defaultdict(list)
    for case, found in by_case.items():
        if case[:2] == column and field in found.get(rule, ()):
            after, before = pair(found)
            by_table[case[2]].append(math.log(after / before))
    changes = np.array([np.mean(logs) for logs in by_table.values()])
    if not len(changes):
        return "-"
    return f"{100 * math.expm1(changes.mean()):+.2f} % ({(changes < -1e-9).sum()}/{len(changes)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("measure", "show"))
    parser.add_argument("results", type=Path)
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="random parts of each size")
    options = parser.parse_args()
    known = [json.loads(line) for line in options.results.read_text().splitlines()] if options.results.exists() else []
    if options.verb == "show":
        show(known)
        return
    for path in options.recordings:
        rules = {(line["metric"], line["rule"]) for line in known if line["table"] == path.stem}
        found = [json.dumps(line) for line in measure(Recording.load(path), options.seeds, rules)]
        with options.results.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in found)
        print(path.stem, len(found), flush=True)


if __name__ == "__main__":
    main()
