"""Greedy ensemble selection: seconds per round, beside a per-candidate loop and a pass over memory.

Three things are timed in one run, on the same random candidates:

``pass``  one read of all candidates' predictions (their sum, by NumPy),
``ours``  the sixth round of a selection, all candidates scored,
``loop``  the algorithm of auto-sklearn 0.15 from its description: for each candidate add its predictions to the running
          sum, divide, and call scikit-learn's metric; on a few candidates, scaled up.

The table gives ours / pass (should be at most 5) and loop / ours (should be at least 20), the memory that a selection
takes as a multiple of the candidates' predictions, the seconds of a whole selection, and the passes that these are per
round. Times are CPU times of one thread (set OMP_NUM_THREADS=1). Candidates can be made in three ways, see `KINDS`.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import sklearn.metrics
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.greedy import GreedyOptions, select
from mpi_automl.metrics.registry import get_metric
from mpi_automl.metrics.scorers import make_scorer

LOOP_METRICS: dict[str, Callable[[NDArray, NDArray], float]] = {
    "accuracy": lambda y, mean: sklearn.metrics.accuracy_score(y, mean.argmax(axis=1)),
    "balanced_accuracy": lambda y, mean: sklearn.metrics.balanced_accuracy_score(y, mean.argmax(axis=1)),
    "f1": lambda y, mean: sklearn.metrics.f1_score(y, mean.argmax(axis=1)),
    "f1_macro": lambda y, mean: sklearn.metrics.f1_score(y, mean.argmax(axis=1), average="macro"),
    "log_loss": lambda y, mean: sklearn.metrics.log_loss(y, mean),
    "brier_score": lambda y, mean: sklearn.metrics.brier_score_loss(y, mean, labels=np.arange(mean.shape[1])),
    "roc_auc": lambda y, mean: (
        sklearn.metrics.roc_auc_score(y, mean[:, 1])
        if mean.shape[1] == 2
        else sklearn.metrics.roc_auc_score(y, mean, multi_class="ovr")
    ),
    "root_mean_squared_error": lambda y, mean: sklearn.metrics.root_mean_squared_error(y, mean[:, 0]),
    "mean_absolute_error": lambda y, mean: sklearn.metrics.mean_absolute_error(y, mean[:, 0]),
    "r2": lambda y, mean: sklearn.metrics.r2_score(y, mean[:, 0]),
}


KINDS = {"independent": (1, 0.0, 1.0), "alike": (12, 1.0, 1.0), "same": (1, 1.0, 1e-4)}
"""Families of candidates; errors shared with others, and a candidate's own, in standard deviations of logits or values.

Independent errors average out, and an ensemble is soon perfect. Models of one table are wrong on the same rows, those
of one family more so: an ensemble stays near the best of them, and candidates differ less in every round. The last
kind hardly differs from the start, which is the worst case for ROC AUC.
"""


def make_candidates(
    task_type: TaskType, n_candidates: int, n_rows: int, n_outputs: int, kind: str = "independent", seed: int = 0
) -> tuple[NDArray, NDArray]:
    """Truth and predictions in which candidates differ in skill; see `KINDS`.

    They lie in memory as they do when they are read from a run.
    """
    rng = np.random.default_rng(seed)
    predictions = np.empty((n_candidates, n_outputs, n_rows), dtype=np.float32).transpose(0, 2, 1)
    skill = rng.random(n_candidates).astype(np.float32)
    families, common, own = KINDS[kind]
    noise = common * rng.standard_normal((families, n_rows, n_outputs), dtype=np.float32)
    noise = 0.8 * noise[:1] + 0.6 * noise
    family = rng.integers(families, size=n_candidates)
    if task_type is TaskType.REGRESSION:
        y = rng.normal(size=n_rows)
        for strength, number, candidate in zip(skill, family, predictions, strict=True):
            candidate[:] = y[:, None] + noise[number] + own * (1.2 - strength) * rng.standard_normal(candidate.shape)
        return y, predictions
    y = np.sort(rng.integers(0, n_outputs, n_rows))
    truth = np.eye(n_outputs, dtype=np.float32)[y]
    for strength, number, candidate in zip(skill, family, predictions, strict=True):
        if kind == "independent":
            candidate[:] = rng.exponential(size=candidate.shape) + strength * truth
        else:
            errors = own * (1.2 - strength) * rng.standard_normal(candidate.shape, dtype=np.float32)
            candidate[:] = np.exp((0.5 + strength) * (2.0 * truth + noise[number] + errors))
        candidate /= candidate.sum(axis=1, keepdims=True)
    return y, predictions


def best_of(function: Callable[[], object], repeats: int) -> float:
    """Least CPU time in seconds; on a busy machine it is steadier than wall time."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def loop_round(y: NDArray, predictions: NDArray, total: NDArray, members: int, score: Callable) -> NDArray:
    """One round of the per-candidate loop."""
    costs = np.zeros(len(predictions))
    mean = np.zeros(total.shape)
    for number, added in enumerate(predictions):
        np.add(total, added, out=mean)
        np.multiply(mean, 1.0 / (members + 1), out=mean)
        costs[number] = score(y, mean)
    return costs


def measure(name: str, task_type: TaskType, y: NDArray, predictions: NDArray, arguments: argparse.Namespace) -> None:
    metric = get_metric(name, task_type)
    members = 5
    shares = select(predictions, y, metric, task_type, GreedyOptions(size=members)).weights
    total = sum(members * share * predictions[number].astype(np.float64) for number, share in shares.items())
    scorer = make_scorer(predictions, y, metric, task_type)
    every = np.ones(len(predictions), dtype=bool)
    some = np.ascontiguousarray(predictions[: arguments.loop])
    ours = passing = loop = np.inf
    for _ in range(arguments.repeats):
        passing = min(passing, best_of(predictions.sum, 2))
        ours = min(ours, best_of(partial(scorer.costs, total, members, every), 1))
        once = partial(loop_round, y, some, total, members, LOOP_METRICS[name])
        loop = min(loop, best_of(once, 1) * len(predictions) / len(some))
    del scorer
    extra, whole = peak_and_time(y, predictions, name, task_type, arguments.rounds)
    print(
        f"{name:24s} {task_type.value:10s} {passing * 1e3:8.1f} {ours * 1e3:8.1f} {loop * 1e3:10.0f} "
        f"{ours / passing:9.1f} {loop / ours:9.0f} {1 + extra / predictions.nbytes:7.2f} {whole:8.1f} "
        f"{whole / arguments.rounds / passing:9.1f}",
        flush=True,
    )


def peak_and_time(y: NDArray, predictions: NDArray, name: str, task_type: TaskType, rounds: int) -> tuple[int, float]:
    """Bytes that a selection adds at its peak (over two rounds), and seconds of a whole one."""
    metric = get_metric(name, task_type)
    tracemalloc.start()
    select(predictions, y, metric, task_type, GreedyOptions(size=2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak, best_of(partial(select, predictions, y, metric, task_type, GreedyOptions(size=rounds)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=50, help="rounds of the whole selection")
    parser.add_argument("--loop", type=int, default=10, help="candidates on which the loop is timed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--metrics", nargs="*", default=sorted(LOOP_METRICS))
    parser.add_argument("--kind", choices=KINDS, default="independent", help="how candidates are made")
    parser.add_argument("--tasks", nargs="*", default=["multiclass", "binary", "regression"])
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="The y_prob values do not sum")
    print(f"{arguments.candidates} candidates ({arguments.kind}), {arguments.rows} rows; ms per round, seconds in all")
    print(
        f"{'metric':24s} {'task':10s} {'pass':>8s} {'ours':>8s} {'loop':>10s} "
        f"{'ours/pass':>9s} {'loop/ours':>9s} {'memory':>7s} {'in all':>8s} {'all/pass':>9s}"
    )
    for task_type, n_outputs in (
        (TaskType.MULTICLASS, arguments.classes),
        (TaskType.BINARY, 2),
        (TaskType.REGRESSION, 1),
    ):
        if task_type.value not in arguments.tasks:
            continue
        y, predictions = make_candidates(task_type, arguments.candidates, arguments.rows, n_outputs, arguments.kind)
        for name in arguments.metrics:
            if task_type in get_metric_types(name):
                measure(name, task_type, y, predictions, arguments)
        del predictions


def get_metric_types(name: str) -> frozenset[TaskType]:
    """Task types for which a metric is defined."""
    task_type = TaskType.REGRESSION if name in ("root_mean_squared_error", "mean_absolute_error", "r2") else None
    return get_metric(name, task_type or TaskType.BINARY).task_types


if __name__ == "__main__":
    main()
