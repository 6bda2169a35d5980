"""Whether it pays to fit learners in steps: at equal time, on recorded trials.

Many configurations of each table are evaluated for real under a short limit (``--trial-time``), each in one go and in
steps, and their CPU times and predictions are recorded. Then searches are replayed from the recordings: the
configurations in a random order, each taking the time it took, until the time is up; then the ensemble is built by
the package's own selection and scored on rows held out. The order is the same for both ways, so they are compared in
pairs. A replay has one rank, and its proposals do not depend on the way.

    python jobs/benchmarks/staged_fitting.py DIRECTORY --record FILES --tables magic_telescope --seconds 120
    python jobs/benchmarks/staged_fitting.py DIRECTORY --replay FILES --seeds 40

DIRECTORY holds tables and an ``index.json``, as for tables.py. FILES is a folder for the recordings.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from mpi_automl.search.proposer import Proposer
from mpi_automl.settings import Settings
from mpi_automl.space.space import build_space
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey

WAYS = ("in one go", "in steps")


@dataclass(frozen=True, eq=False)
class Recording:
    """All that was evaluated of one table; arrays have the shape (way, configuration, ...)."""

    name: str
    metric: str
    truth: np.ndarray
    test_truth: np.ndarray
    costs: np.ndarray
    seconds: np.ndarray
    predictions: np.ndarray
    test_predictions: np.ndarray

    def save(self, path: Path) -> None:
        """Write it as a compressed npz file."""
        np.savez_compressed(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read it again."""
        with np.load(path) as file:
            return cls(**{key: file[key].item() if file[key].dtype.kind == "U" else file[key] for key in file})


def make_setup(table: dict[str, Any], directory: Path, rows: int) -> EvaluationSetup:
    """The setup of a table: a quarter of its rows is held out, at most `rows` are learned from."""
    frame = pd.read_csv(directory / table["file"])
    target = frame.pop(table["target"])
    labels = target if table["task"] == "classification" else None
    X, X_test, y, y_test = train_test_split(frame, target, random_state=1, stratify=labels)
    if len(X) > rows:
        X, _, y, _ = train_test_split(X, y, train_size=rows, random_state=1, stratify=None if labels is None else y)
    task = make_task(X, y, X_test=X_test, y_test=y_test, name=table["name"])
    settings = Settings(resampling="holdout")
    metric = get_metric("auto", task.type, task.schema.units)
    return EvaluationSetup(task, make_resampling(task, settings), build_space(task.profile), metric)


def trials_of(proposer: Proposer) -> Iterator[Trial]:
    """Trials that the proposer proposes, without end."""
    number = 0
    while True:
        proposal = proposer.ask()
        yield Trial(TrialKey(0, 0, number), proposal.vector, number, Origin.MODEL)
        number += 1


def evaluated(evaluator: Evaluator, trial: Trial, seconds: float) -> Result:
    """The result of one trial."""
    evaluator.submit(trial, seconds=seconds, memory=2048.0)
    while not (results := evaluator.poll(5.0)):
        pass
    (result,) = results
    assert isinstance(result, Result)
    return result


def record(setup: EvaluationSetup, arguments: argparse.Namespace) -> Recording:
    """Search for a while, as a rank does, and keep everything."""
    ways = [replace(setup, staged_fitting=False), setup]
    kept: list[list[Result]] = []
    with tempfile.TemporaryDirectory() as place:
        evaluators = [Evaluator.start() for _ in ways]
        for number, (evaluator, way) in enumerate(zip(evaluators, ways, strict=True)):
            write_packed(Path(place) / f"setup-{number}", *pack(training_rows_first(way)))
            evaluator.open(Path(place) / f"setup-{number}")
        proposer = Proposer(
            setup.space.configspace,
            seed=1,
            initial=initial_design(setup.space.configspace, "portfolio", 0, 1, 1),
            random_share=1.0,
        )
        end = time.monotonic() + arguments.seconds
        for trial in trials_of(proposer):
            results = [evaluated(evaluator, trial, arguments.trial_time) for evaluator in evaluators]
            kept.append(results)
            last = results[-1]
            cost = last.cost if last.has_cost else np.nan
            proposer.tell([trial.vector], [cost], [last.status], [trial.key], foreign=False)
            if time.monotonic() > end:
                break
        for evaluator in evaluators:
            evaluator.close()
    return _recording(setup, kept)


def _recording(setup: EvaluationSetup, kept: list[list[Result]]) -> Recording:
    task, resampling = setup.task, training_rows_first(setup).resampling
    moved = training_rows_first(setup).task
    shape = len(resampling.validation_rows), task.profile.n_outputs
    test_shape = task.X_test.shape[0], task.profile.n_outputs

    def gathered(value: Any) -> np.ndarray:
        return np.array([[value(result) for result in results] for results in kept]).swapaxes(0, 1)

    def whole(result: Result) -> bool:
        return result.status is Status.SUCCESS

    return Recording(
        name=task.name,
        metric=setup.metric.name,
        truth=moved.y[resampling.validation_rows],
        test_truth=task.y_test,
        costs=gathered(lambda r: r.cost if whole(r) else np.inf),
        seconds=gathered(lambda r: r.cpu_seconds),
        predictions=gathered(lambda r: r.predictions if whole(r) else np.zeros(shape, np.float32)),
        test_predictions=gathered(lambda r: r.test_predictions if whole(r) else np.zeros(test_shape, np.float32)),
    )


@dataclass(frozen=True)
class ReplaySummary:
    """Results of a replayed search: trials started and finished, and costs of its best trial and of its ensemble."""

    trials: int
    whole: int
    best: float
    best_test: float
    ensemble_test: float


class Replay:
    """Searches of one table, replayed."""

    def __init__(self, recording: Recording, share: float) -> None:
        from mpi_automl.data.task import TaskType

        self.recording = recording
        if recording.metric != "accuracy":
            self.task_type = TaskType.REGRESSION
        else:
            self.task_type = TaskType.BINARY if recording.predictions.shape[-1] == 2 else TaskType.MULTICLASS
        self.metric = get_metric(recording.metric, self.task_type)
        self.seconds = share * float(recording.seconds.max(axis=0).sum())

    def run(self, seed: int, way: int) -> ReplaySummary:
        """A search with configurations in the order of a seed."""
        found, now, begun = self.recording, 0.0, 0
        whole: list[int] = []
        for number in np.random.default_rng(seed).permutation(found.costs.shape[1]):
            now += found.seconds[way, number]
            if now > self.seconds:
                break
            begun += 1
            if np.isfinite(found.costs[way, number]):
                whole.append(int(number))
        return self._concluded(whole, way, begun)

    def _concluded(self, whole: list[int], way: int, begun: int) -> ReplaySummary:
        from mpi_automl.ensemble.build import Candidates, build_ensemble
        from mpi_automl.ensemble.combination import combine
        from mpi_automl.ensemble.greedy import GreedyOptions

        found = self.recording
        if not whole:
            return ReplaySummary(begun, 0, np.nan, np.nan, np.nan)
        order = sorted(whole, key=lambda number: found.costs[way, number])[:50]
        keys = tuple(TrialKey(0, 0, number) for number in order)
        candidates = Candidates(keys, found.predictions[way, order])
        ensemble = build_ensemble(candidates, found.truth, self.metric, self.task_type, GreedyOptions(50, 1))
        tests = {key: found.test_predictions[way, key.number] for key in ensemble.weights}
        combined = combine(ensemble.combination, tests).astype(np.float32)
        return ReplaySummary(
            begun,
            len(whole),
            float(found.costs[way, order[0]]),
            self._test_cost(found.test_predictions[way, order[0]]),
            self._test_cost(combined),
        )

    def _test_cost(self, predictions: np.ndarray) -> float:
        return float(self.metric.cost(self.recording.test_truth, predictions, self.task_type))


def compare(recordings: list[Recording], arguments: argparse.Namespace) -> None:
    """Print the table of both ways."""
    print("\n| table | fitted | trials | whole | best, validation | best, test | ensemble, test | wins : losses |")
    print("|---|---|---|---|---|---|---|---|")
    changes: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in WAYS}
    for recording in recordings:
        replay = Replay(recording, arguments.share)
        runs = [[replay.run(seed, way) for seed in range(arguments.seeds)] for way in range(len(WAYS))]
        for name, own in zip(WAYS, runs, strict=True):
            changes[name].append(_row(recording.name, name, own, runs[0]))
    for name in WAYS[1:]:
        _summary(name, WAYS[0], np.array(changes[name]))


def _row(
    table: str, name: str, own: list[ReplaySummary], first: list[ReplaySummary]
) -> tuple[float, float, float, float]:
    """Print one line; gives changes of the mean costs as shares of the first way's, and wins minus losses."""

    def mean(runs: list[ReplaySummary], field: str) -> float:
        return float(np.nanmean([getattr(run, field) for run in runs]))

    difference = np.array([a.ensemble_test - b.ensemble_test for a, b in zip(own, first, strict=True)])
    wins, losses = int((difference < -1e-12).sum()), int((difference > 1e-12).sum())
    costs = [mean(own, field) for field in ("best", "best_test", "ensemble_test")]
    before = [mean(first, field) for field in ("best", "best_test", "ensemble_test")]
    shown = " | ".join(f"{cost:.4f}" for cost in costs)
    print(f"| {table} | {name} | {mean(own, 'trials'):.0f} | {mean(own, 'whole'):.0f} | {shown} | {wins} : {losses} |")
    relative = [cost / reference - 1.0 for cost, reference in zip(costs, before, strict=True)]
    return (*relative, float(wins - losses))  # type: ignore[return-value]


def _summary(name: str, first: str, changes: np.ndarray) -> None:
    from scipy.stats import wilcoxon

    print(f"\n{name} against {first}, {len(changes)} tables:")
    for column, what in enumerate(("best, validation", "best, test", "ensemble, test")):
        values = changes[:, column]
        better, worse = int((values < -1e-12).sum()), int((values > 1e-12).sum())
        p = wilcoxon(values).pvalue if (np.abs(values) > 1e-12).sum() > 1 else 1.0
        print(f"  cost of {what}: {values.mean():+.1%} in the mean; better on {better}, worse on {worse} (p = {p:.2f})")


def main() -> None:
    """Record or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--record", type=Path, metavar="FILES")
    parser.add_argument("--replay", type=Path, metavar="FILES")
    parser.add_argument("--tables", nargs="*", default=())
    parser.add_argument("--seconds", type=float, default=60.0, help="of recording, for each table")
    parser.add_argument("--trial-time", type=float, default=10.0)
    parser.add_argument("--rows", type=int, default=1500, help="rows to learn from at most")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.2, help="time of a replay, as a share of the recording's")
    arguments = parser.parse_args()
    if arguments.record is not None:
        arguments.record.mkdir(parents=True, exist_ok=True)
        for table in json.loads((arguments.directory / "index.json").read_text(encoding="utf-8")):
            if table["name"] in arguments.tables:
                found = record(make_setup(table, arguments.directory, arguments.rows), arguments)
                found.save(arguments.record / f"{table['name']}.npz")
                whole = np.isfinite(found.costs).sum(axis=1)
                print(f"{table['name']}: {found.costs.shape[1]} configurations, whole {whole}", flush=True)
    if arguments.replay is not None:
        compare([Recording.load(path) for path in sorted(arguments.replay.glob("*.npz"))], arguments)


if __name__ == "__main__":
    main()
