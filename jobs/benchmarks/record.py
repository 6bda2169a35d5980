"""Record real trials of the package's own search space on a folder of tables, for surrogate benchmarks.

    python jobs/benchmarks/record.py DIRECTORY --out recorded --tables vehicle credit_g --minutes 8

The folder holds tables and an ``index.json`` (see tables.py). On every table the same candidates are evaluated
(`repository.candidates`), and as many configurations that a proposer chooses which is told everything recorded so far:
in turn, so that a recording that is cut short has both. Trials run in the trial server, one at a time, on one thread,
and validate on a holdout. The cost is the one of --metric; further metrics are recorded beside it. One ``NAME.npz`` for
each table (`Recording`); a recording that exists is gone on with.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from repository.candidates import COMMITTED, load_candidates

from mpi_automl.evaluation.evaluator import Evaluator

Candidate = dict[str, Any]

FURTHER = ("accuracy", "balanced_accuracy", "log_loss")
SEARCHED = -1
BLOCK = 20


@dataclass(frozen=True)
class Recording:
    """Trials of one table.

    Attributes
    ----------
    table, metric : str
    space : str
        ConfigSpace's own JSON.
    vectors : ndarray of float32, shape (n, n_hyperparameters)
    costs : ndarray of float32, shape (n,)
        NaN where a trial failed.
    scores : ndarray of float32, shape (n, n_further)
        Of the metrics in `FURTHER`.
    statuses : ndarray of int8, shape (n,)
    seconds : ndarray of float32, shape (n,)
        Wall time.
    candidates : ndarray of int16, shape (n,)
        Number of the candidate; -1 for one that the proposer chose.
    """

    table: str
    metric: str
    space: str
    vectors: np.ndarray
    costs: np.ndarray
    scores: np.ndarray
    statuses: np.ndarray
    seconds: np.ndarray
    candidates: np.ndarray

    def save(self, path: Path) -> None:
        """Write it, compressed."""
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, **vars(self))
        part.rename(path)

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read what `save` wrote."""
        with np.load(path) as file:
            values = {name: file[name] for name in file.files}
        return cls(**{name: str(value) if value.dtype.kind == "U" else value for name, value in values.items()})

    def with_trials(self, rows: list[tuple[Any, ...]]) -> Recording:
        """Trials added: vector, cost, scores, status, seconds, candidate."""
        if not rows:
            return self
        names = ("vectors", "costs", "scores", "statuses", "seconds", "candidates")
        grown = {}
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            old = getattr(self, name)
            grown[name] = np.concatenate([old, np.asarray(values, dtype=old.dtype)])
        return replace(self, **grown)


def empty_recording(table: str, metric: str, configspace: Any) -> Recording:
    """A recording without trials."""
    space = json.dumps(configspace.to_serialized_dict())
    floats, n = np.float32, len(configspace)
    nothing = {name: np.empty(0, kind) for name, kind in (("costs", floats), ("seconds", floats))}
    numbers = {"statuses": np.empty(0, np.int8), "candidates": np.empty(0, np.int16)}
    return Recording(
        table, metric, space, np.empty((0, n), floats), scores=np.empty((0, len(FURTHER)), floats), **nothing, **numbers
    )


def make_setup(entry: dict[str, Any], directory: Path, metric: str, rows: int) -> Any:
    """The evaluation of trials on a table, of which a random part is taken."""
    from mpi_automl.data.load import load_task
    from mpi_automl.data.resampling import make_resampling
    from mpi_automl.evaluation.setup import EvaluationSetup, take_rows
    from mpi_automl.metrics.registry import get_metric
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import build_space

    settings = Settings(table=str(directory / entry["file"]), target=entry["target"], resampling="holdout")
    task = load_task(settings)
    order = np.random.default_rng(0).permutation(task.profile.n_rows)[:rows]
    task = replace(task, X=take_rows(task.X, order), y=task.y[order], profile=replace(task.profile, n_rows=len(order)))
    further = tuple(get_metric(name, task.type, task.schema.units) for name in FURTHER)
    space = build_space(task.profile)
    return EvaluationSetup(
        task, make_resampling(task, settings), space, get_metric(metric, task.type, task.schema.units), further
    )


class Recorder:
    """Evaluates trials on one table and adds them to its recording."""

    def __init__(self, setup: Any, evaluator: Evaluator, recording: Recording, seconds: float) -> None:
        from mpi_automl.search.proposer import Proposer
        from mpi_automl.search.vectors import VectorSpace

        self._evaluator, self._seconds = evaluator, seconds
        self._space = VectorSpace(setup.space.configspace)
        self._proposer = Proposer(setup.space.configspace, len(recording.costs))
        self.recording = recording
        self._rows: list[tuple[Any, ...]] = []
        self._told = 0
        n = len(recording.costs)
        self._tell(recording.vectors.astype(float), recording.costs, recording.statuses, np.zeros(n))

    def _tell(self, vectors: np.ndarray, costs: Any, statuses: Any, seconds: Any) -> None:
        keys = [(0, 0, self._told + i) for i in range(len(vectors))]
        self._told += len(keys)
        self._proposer.tell(vectors, costs, statuses, keys, foreign=False, seconds=seconds)

    def record(self, waiting: list[tuple[int, Candidate]], deadline: float) -> None:
        """Evaluate candidates and, in turn with blocks of them, what the proposer chooses."""
        queue = _turns(waiting)
        under_way: dict[int, int] = {}
        number = 0
        while (queue or under_way) and time.monotonic() < deadline:
            while queue and self._evaluator.can_submit:
                candidate, vector = self._next(queue)
                if vector is not None:
                    self._submit(number, vector)
                    under_way[number] = candidate
                    number += 1
            for result in self._evaluator.poll(0.5):
                self._take(result, under_way.pop(result.trial.key.number))
        self._evaluator.cancel()
        while under_way:
            for result in self._evaluator.poll(0.5):
                under_way.pop(result.trial.key.number)
        self.recording = self.recording.with_trials(self._rows)

    def _next(self, queue: list[tuple[int, Candidate | None]]) -> tuple[int, np.ndarray | None]:
        from mpi_automl.search.portfolio import adapt_configuration

        candidate, values = queue.pop(0)
        vector = self._proposer.ask().vector if values is None else adapt_configuration(self._space, values)
        return candidate, vector

    def _submit(self, number: int, vector: np.ndarray) -> None:
        from mpi_automl.trial import Origin, Trial, TrialKey

        trial = Trial(TrialKey(0, 0, number), vector, 1, Origin.MODEL)
        self._evaluator.submit(trial, seconds=self._seconds, memory=2048.0)

    def _take(self, result: Any, candidate: int) -> None:
        seconds, cost = result.end - result.start, result.cost if result.has_cost else np.nan
        scores = [result.scores.get(name, np.nan) for name in FURTHER]
        self._rows.append((result.trial.vector, cost, scores, int(result.status), seconds, candidate))
        self._tell(result.trial.vector[None], [cost], [int(result.status)], [seconds])


def _turns(waiting: list[tuple[int, Candidate]]) -> list[tuple[int, Candidate | None]]:
    queue: list[tuple[int, Candidate | None]] = []
    for start in range(0, len(waiting), BLOCK):
        block = waiting[start : start + BLOCK]
        queue += [*block, *[(SEARCHED, None)] * (len(block) if start else 0)]
    return queue


def record_table(
    entry: dict[str, Any],
    arguments: argparse.Namespace,
    evaluator: Evaluator,
    candidates: list[Candidate],
    until: float,
) -> Recording:
    """Go on with the recording of a table until a time on the monotonic clock."""
    from mpi_automl.data.shared import pack, write_packed
    from mpi_automl.evaluation.setup import training_rows_first

    setup = make_setup(entry, arguments.directory, arguments.metric, arguments.rows)
    path = arguments.out / f"{entry['name']}.npz"
    recording = empty_recording(entry["name"], arguments.metric, setup.space.configspace)
    if path.exists():
        recording = Recording.load(path)
    done = set(recording.candidates.tolist())
    order = [0, *(1 + np.random.default_rng(0).permutation(len(candidates) - 1))]
    waiting = [(number, candidates[number]) for number in order if number not in done]
    with tempfile.TemporaryDirectory() as place:
        write_packed(Path(place) / "setup", *pack(training_rows_first(setup)))
        evaluator.open(Path(place) / "setup")
        recorder = Recorder(setup, evaluator, recording, arguments.trial_time)
        recorder.record(waiting, until)
    recorder.recording.save(path)
    return recorder.recording


def describe(recording: Recording) -> str:
    """A line for people."""
    good = recording.costs[~np.isnan(recording.costs)]
    searched = int((recording.candidates == SEARCHED).sum())
    spread = f"cost {good.min():.4f} to {np.median(good):.4f} (median)" if len(good) else "no cost"
    return (
        f"{recording.table:18} {len(recording.costs):5} trials, {searched} searched, {len(good)} with a cost, "
        f"{spread}, {recording.seconds.mean():.2f} s each"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--out", type=Path, default=Path("recorded"))
    parser.add_argument("--tables", nargs="+", required=True)
    parser.add_argument("--minutes", type=float, default=8.0, help="for all tables together")
    parser.add_argument("--metric", default="roc_auc")
    parser.add_argument("--rows", type=int, default=1000, help="of a larger table, so many rows")
    parser.add_argument("--trial-time", type=float, default=3.0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    entries = {entry["name"]: entry for entry in json.loads((arguments.directory / "index.json").read_text())}
    with Evaluator.start() as evaluator:
        candidates = [candidate.values for candidate in load_candidates(COMMITTED / "classifier.json")]
        for number, name in enumerate(arguments.tables):
            left = started + 60 * arguments.minutes - time.monotonic()
            until = time.monotonic() + left / (len(arguments.tables) - number)
            print(describe(record_table(entries[name], arguments, evaluator, candidates, until)), flush=True)


if __name__ == "__main__":
    main()
