"""Whether trials should be given up after some folds, replayed on recorded predictions at equal time.

    python jobs/benchmarks/record_predictions.py DIRECTORY --out recorded --minutes 15
    python jobs/benchmarks/pruning.py recorded

In each replay one worker evaluates the candidates of a table in a random order, fold by fold (random fifths of the
out-of-fold rows), until a share of the time that all of them take is over. A rule says after each fold but the last
whether the candidate is given up. Greedy selection among those that are complete gives an ensemble, which is judged by
log loss or squared error on the rows held out: 0 is the ensemble of all candidates, 1 the baseline.

Rules: ``none``; ``forgiving``, above the worst fold of the incumbent, and ``aggressive``, above its mean fold (Bergman,
Purucker and Hutter 2024, arXiv 2405.03389); a number, above that share of the way from the incumbent to the baseline.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDS = 5
ROUNDS = 25


@dataclass(frozen=True, eq=False)
class Replayed:
    """The candidates of a table.

    Attributes
    ----------
    loss : callable
        Of predictions against targets.
    y, y_held_out : ndarray
    predictions, held_out : ndarray, shape (n_candidates, n_rows, n_outputs)
    seconds : ndarray
        Of all folds of a candidate.
    fold_costs : ndarray, shape (n_candidates, FOLDS)
    costs : ndarray
        Of all rows.
    baseline : float
    """

    loss: Callable[[np.ndarray, np.ndarray], float]
    y: np.ndarray
    y_held_out: np.ndarray
    predictions: np.ndarray
    held_out: np.ndarray
    seconds: np.ndarray
    fold_costs: np.ndarray
    costs: np.ndarray
    baseline: float


def log_loss(y: np.ndarray, predictions: np.ndarray) -> float:
    clipped = np.clip(predictions.astype(float), 1e-6, 1)
    clipped /= clipped.sum(axis=1, keepdims=True)
    return float(-np.log(clipped[np.arange(len(y)), y.astype(int)]).mean())


def root_mean_squared_error(y: np.ndarray, predictions: np.ndarray) -> float:
    return float(np.sqrt(np.mean((y - predictions[:, 0].astype(float)) ** 2)))


def baseline_of(y: np.ndarray, n_outputs: int, n_rows: int) -> np.ndarray:
    frequencies = y.mean() if n_outputs == 1 else np.bincount(y.astype(int), minlength=n_outputs) / len(y)
    return np.tile(frequencies, (n_rows, 1))


def load(path: Path) -> Replayed:
    stored = np.load(path)
    usable = np.isfinite(stored["predictions"]).all(axis=(1, 2))
    y, predictions = stored["y"], stored["predictions"][usable]
    loss = root_mean_squared_error if str(stored["task_type"]) == "regression" else log_loss
    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    return Replayed(
        loss=loss,
        y=y,
        y_held_out=stored["y_held_out"],
        predictions=predictions,
        held_out=stored["held_out"][usable],
        seconds=stored["seconds"][usable],
        fold_costs=np.array([[loss(y[fold == k], p[fold == k]) for k in range(FOLDS)] for p in predictions]),
        costs=np.array([loss(y, p) for p in predictions]),
        baseline=loss(y, baseline_of(y, predictions.shape[2], len(y))),
    )


def ensemble_loss(table: Replayed, members: list[int]) -> float:
    """Loss on the rows held out of a greedy ensemble, at its best round."""
    total = np.zeros(table.predictions.shape[1:])
    held_out = np.zeros(table.held_out.shape[1:])
    best = (np.inf, np.inf)
    for size in range(1, ROUNDS + 1):
        losses = [table.loss(table.y, (total + table.predictions[i]) / size) for i in members]
        chosen = members[int(np.argmin(losses))]
        total, held_out = total + table.predictions[chosen], held_out + table.held_out[chosen]
        best = min(best, (min(losses), table.loss(table.y_held_out, held_out / size)))
    return best[1]


def bound(table: Replayed, rule: float | str, incumbent: int | None) -> float:
    """Mean cost of folds above which a candidate is given up."""
    if rule == "none" or incumbent is None:
        return np.inf
    if rule == "forgiving":
        return float(table.fold_costs[incumbent].max())
    if rule == "aggressive":
        return float(table.fold_costs[incumbent].mean())
    return float(table.costs[incumbent] + rule * (table.baseline - table.costs[incumbent]))


def replay(table: Replayed, rule: float | str, order: np.ndarray, seconds: float) -> tuple[list[int], int]:
    """The candidates that are complete after so many seconds, and how many were begun."""
    complete: list[int] = []
    begun = 0
    for candidate in order:
        incumbent = min(complete, key=lambda i: table.costs[i], default=None)
        begun += 1
        for folds in range(1, FOLDS + 1):
            seconds -= table.seconds[candidate] / FOLDS
            if seconds <= 0:
                return complete, begun
            if folds < FOLDS and table.fold_costs[candidate, :folds].mean() > bound(table, rule, incumbent):
                break
        else:
            complete.append(int(candidate))
    return complete, begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--replays", type=int, default=12, help="random orders for each table")
    parser.add_argument("--share", type=float, default=0.35, help="of the time that all candidates take")
    arguments = parser.parse_args()
    rules: list[float | str] = ["none", "forgiving", "aggressive", 0.2, 0.35, 0.5]
    results: dict[float | str, list[list[float]]] = {rule: [] for rule in rules}
    begun: dict[float | str, list[int]] = {rule: [] for rule in rules}
    for path in sorted(arguments.recordings.glob("*.npz")):
        table = load(path)
        best = ensemble_loss(table, list(range(len(table.costs))))
        worst = table.loss(table.y_held_out, baseline_of(table.y, table.predictions.shape[2], len(table.y_held_out)))
        for rule in rules:
            rng = np.random.default_rng(1)
            losses = []
            for _ in range(arguments.replays):
                order = rng.permutation(len(table.costs))
                members, tried = replay(table, rule, order, arguments.share * table.seconds.sum())
                losses.append(((ensemble_loss(table, members) if members else worst) - best) / (worst - best))
                begun[rule].append(tried)
            results[rule].append(losses)
    columns = ("rule", "loss", "minus none", "standard error", "tables better, worse", "candidates begun")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    reference = np.array(results["none"])
    for rule in rules:
        found = np.array(results[rule])
        difference = found - reference
        by_table = difference.mean(axis=1)
        print(
            f"| {rule} | {found.mean():.4f} | {difference.mean():+.4f} "
            f"| {difference.std() / np.sqrt(difference.size):.4f} "
            f"| {(by_table < -1e-4).sum()}, {(by_table > 1e-4).sum()} | {np.mean(begun[rule]):.1f} |"
        )


if __name__ == "__main__":
    main()
