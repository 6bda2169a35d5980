"""Record out-of-fold and held-out predictions of the package's own pipelines, for rules that combine them.

    python jobs/benchmarks/record_predictions.py DIRECTORY --out recorded --minutes 15

The folder holds tables and an ``index.json`` (see tables.py). Of each table three quarters of the rows, at most --rows,
are learned by five-fold cross-validation, and at most --held-out others are predicted by the averaged models of the
folds. The pipelines are the portfolio, the learners' defaults and as many random ones, in one random order, until a
table's share of the time is over. Trials run in the trial server, one at a time, on one thread. One ``NAME.npz`` for
each table (`Recording`); a table that is there is not recorded again. combination.py reads them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from mpi_automl.data.load import make_task
from mpi_automl.data.resampling import make_resampling
from mpi_automl.data.shared import pack, write_packed
from mpi_automl.data.task import TaskType
from mpi_automl.evaluation.evaluator import Evaluator
from mpi_automl.evaluation.setup import EvaluationSetup, training_rows_first
from mpi_automl.metrics.registry import get_metric
from mpi_automl.search.initial import initial_design
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.settings import Settings
from mpi_automl.space.space import build_space
from mpi_automl.trial import Origin, Trial, TrialKey

TABLES = (
    "credit_g",
    "vehicle",
    "concrete",
    "phoneme",
    "eucalyptus",
    "bike_hour",
    "magic_telescope",
    "segment",
    "abalone",
    "bank_marketing_10pct",
)


@dataclass(frozen=True, eq=False)
class Recording:
    """Predictions for one table.

    Attributes
    ----------
    name : str
    task_type : TaskType
    y, y_held_out : ndarray
        Class codes or values.
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        Out-of-fold.
    held_out : ndarray of float32, shape (n_candidates, n_held_out_rows, n_outputs)
        Means over the models of the folds.
    seconds : ndarray of float64, shape (n_candidates,)
    pipelines : ndarray of str, shape (n_candidates,)
        Descriptions for people.
    """

    name: str
    task_type: TaskType
    y: np.ndarray
    y_held_out: np.ndarray
    predictions: np.ndarray
    held_out: np.ndarray
    seconds: np.ndarray
    pipelines: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read what `record` wrote."""
        with np.load(path) as file:
            values = {name: file[name] for name in file.files}
        return cls(path.stem, TaskType(str(values.pop("task_type"))), **values)


def make_setup(entry: dict[str, Any], options: argparse.Namespace) -> EvaluationSetup:
    """Evaluation by cross-validation on a part of a table's rows, with others as the test table."""
    frame, target = pd.read_csv(options.directory / entry["file"]), entry["target"]
    is_classes = entry["task"] == "classification"
    n_rows = min(3 * len(frame) // 4, options.rows)
    train, others = train_test_split(
        frame, train_size=n_rows, random_state=1, stratify=frame[target] if is_classes else None
    )
    others = others.head(options.held_out)
    task = make_task(
        train.drop(columns=target),
        train[target],
        X_test=others.drop(columns=target),
        y_test=others[target],
        settings=Settings(task="auto" if is_classes else "regression"),
        name=entry["name"],
    )
    metric = get_metric("log_loss" if is_classes else "root_mean_squared_error", task.type)
    return EvaluationSetup(task, make_resampling(task, Settings(resampling="cv")), build_space(task.profile), metric)


def record(setup: EvaluationSetup, evaluator: Evaluator, options: argparse.Namespace, until: float) -> dict[str, Any]:
    """Evaluate pipelines until a time on the monotonic clock; the fields of a `Recording`."""
    task, configspace = setup.task, setup.space.configspace
    known = initial_design(configspace, "portfolio", 0, 1, 1)
    drawn = VectorSpace(configspace).sample(len(known), np.random.RandomState(0))
    vectors = [*known, *drawn]
    found = []
    for number in np.random.default_rng(0).permutation(len(vectors)):
        if time.monotonic() > until:
            break
        trial = Trial(TrialKey(0, 0, int(number)), vectors[number], 1, Origin.INITIAL)
        evaluator.submit(trial, seconds=options.trial_time, memory=2048.0)
        while not (results := evaluator.poll(1.0)):
            continue
        if results[0].has_cost:
            found.append(results[0])
    return {
        "task_type": task.type.value,
        "y": task.y[setup.resampling.validation_rows],
        "y_held_out": task.y_test,
        "predictions": np.array([result.predictions for result in found]),
        "held_out": np.array([result.test_predictions for result in found]),
        "seconds": np.array([result.end - result.start for result in found]),
        "pipelines": np.array([setup.space.describe(result.trial.vector) for result in found]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--out", type=Path, default=Path("recorded"))
    parser.add_argument("--tables", nargs="+", default=TABLES)
    parser.add_argument("--minutes", type=float, default=15.0, help="for all tables together")
    parser.add_argument("--rows", type=int, default=1500, help="learned by cross-validation, at most")
    parser.add_argument("--held-out", type=int, default=4000, help="predicted, at most")
    parser.add_argument("--trial-time", type=float, default=8.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    entries = {entry["name"]: entry for entry in json.loads((options.directory / "index.json").read_text())}
    with Evaluator.start() as evaluator, tempfile.TemporaryDirectory() as place:
        for name in options.tables:
            path = options.out / f"{name}.npz"
            if path.exists():
                continue
            setup = make_setup(entries[name], options)
            write_packed(Path(place) / name, *pack(training_rows_first(setup)))
            evaluator.open(Path(place) / name)
            fields = record(setup, evaluator, options, time.monotonic() + 60 * options.minutes / len(options.tables))
            part = path.with_suffix(".part.npz")
            np.savez_compressed(part, **fields)
            part.rename(path)
            print(f"{name:22} {len(fields['y'])} rows, {len(fields['seconds'])} pipelines", flush=True)


if __name__ == "__main__":
    main()
