"""Other systems in a study: the contract with their adapters, and running one.

An adapter is an executable that is started with one argument more than the study's file says: the path of a JSON file.

::

    {
      "train": "...csv",          rows to learn from, with the target
      "test": "...csv",           rows to predict, without it
      "predictions": "...csv",    to be written
      "target": ["class"],        columns of the target
      "task": "binary",           binary, multiclass, multilabel, regression or multioutput
      "classes": ["bad", "good"], labels as the predictions' header has them; none for numbers
      "categorical": ["colour"],  feature columns that hold categories
      "text": [],                 feature columns that hold free text
      "metric": "accuracy",       what the other systems optimise
      "seconds": 600.0,           wall time, from the adapter's start to its end
      "cores": 8,
      "memory": 3072.0,           MiB for each core
      "seed": 1,
      "options": {}               as the study's file has them
    }

It writes one row for each row of the test table, in its order, with a header: a column of probabilities for each class
(named as in ``classes``), for each label column of a multilabel target the probability that it is the second of its
two values, or one column of values for each target. For classes a single column named like the target, with labels,
will do. It ends with status 0. What it prints goes to a log.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError
from mpi_automl.metrics.registry import get_metric
from mpi_automl.study.process_launcher import Program

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mpi_automl.data.prepare import Task
    from mpi_automl.data.schema import Schema
    from mpi_automl.study.plan import PlannedRun
    from mpi_automl.study.process_launcher import Ended, ProcessLauncher
    from mpi_automl.study.splits import OuterParts

_LEEWAY_SHARE, _LEEWAY = 0.1, 5.0
"""An adapter is killed when it has overrun its time by a tenth and five seconds."""
_LAST_WORDS = 300


@dataclass(frozen=True)
class AdapterFiles:
    """Where an adapter works.

    Attributes
    ----------
    directory : Path
    """

    directory: Path

    @property
    def job(self) -> Path:
        """Its description of the job."""
        return self.directory / "job.json"

    @property
    def predictions(self) -> Path:
        """What it is to write."""
        return self.directory / "predictions.csv"

    @property
    def output(self) -> Path:
        """What it prints."""
        return self.directory / "output.log"


def run_external_system(
    run: PlannedRun,
    parts: OuterParts,
    task: Task,
    files: AdapterFiles,
    launcher: ProcessLauncher,
    cores: frozenset[int],
    must_stop: Callable[[], bool],
) -> tuple[NDArray[np.float64], Ended]:
    """Have another system learn and predict.

    Parameters
    ----------
    run : PlannedRun
    parts : OuterParts
    task : Task
        Made of the same parts.
    files : AdapterFiles
    launcher : ProcessLauncher
    cores : frozenset of int
        That it may use; empty for all.
    must_stop : callable

    Returns
    -------
    predictions : ndarray, shape (n_test, n_outputs)
    ended : Ended

    Raises
    ------
    UserError
        If the adapter fails, or what it writes does not fit the contract.
    """
    assert run.variant.system is not None
    _write_job(run, parts, task, files)
    ended = launcher.run(
        Program(
            (*_command(run.variant.system.command), str(files.job)),
            str(files.directory),
            str(files.output),
            (1 + _LEEWAY_SHARE) * run.seconds + _LEEWAY,
            run.cores,
            tuple(sorted(cores)),
        ),
        must_stop,
    )
    if ended.error or ended.was_killed or ended.status:
        raise UserError(_failure(ended, files))
    return read_predictions(files.predictions, task.schema, len(parts.test)), ended


def _command(command: tuple[str, ...]) -> tuple[str, ...]:
    from mpi_automl.study.definition import BASELINES

    if command[0] in BASELINES:
        return (sys.executable, "-m", "mpi_automl.study.baseline", *command)
    return command


def _failure(ended: Ended, files: AdapterFiles) -> str:
    if ended.error:
        return f"The adapter cannot be started ({ended.error})."
    how = "was ended, as its time was up" if ended.was_killed else f"ended with status {ended.status}"
    words = files.output.read_text(encoding="utf-8", errors="replace").strip()[-_LAST_WORDS:]
    return f"The adapter {how} after {ended.seconds:.0f} s; see {files.output}. {words}".rstrip()


def _write_job(run: PlannedRun, parts: OuterParts, task: Task, files: AdapterFiles) -> None:
    settings, schema = run.settings, task.schema
    files.directory.mkdir(parents=True)
    train, test = (_dense(part.features, run.table.name) for part in (parts.train, parts.test))
    targets, classes = parts.train.targets_or_fail, class_names(schema)
    for name in targets:
        # Labels are written as the header of the predictions has them.
        train[name] = np.array(classes, dtype=object)[task.y] if classes else targets[name].to_numpy()
    train.to_csv(files.directory / "train.csv", index=False)
    test.to_csv(files.directory / "test.csv", index=False)
    kinds = {kind: [column.name for column in schema.columns if column.kind == kind] for kind in _KINDS}
    job = {
        "train": str((files.directory / "train.csv").resolve()),
        "test": str((files.directory / "test.csv").resolve()),
        "predictions": str(files.predictions.resolve()),
        "target": list(schema.target_names),
        "task": schema.task_type.value,
        "classes": classes,
        "categorical": kinds["categorical"] + kinds["boolean"],
        "text": kinds["text"],
        "metric": get_metric(settings.metric, schema.task_type).name,
        "seconds": run.seconds,
        "cores": run.cores,
        "memory": settings.trial_memory,
        "seed": run.seed,
        "options": dict(run.variant.system.options) if run.variant.system else {},
    }
    files.job.write_text(json.dumps(job, indent=1), encoding="utf-8")


_KINDS = ("categorical", "boolean", "text")


def _dense(features: Any, name: str) -> pd.DataFrame:
    import pandas as pd

    from mpi_automl.data.prepare import MOST_CELLS

    if isinstance(features, pd.DataFrame):
        return features.copy(deep=False)
    if features.matrix.shape[0] * features.matrix.shape[1] > MOST_CELLS:
        raise UserError(f"{name} is sparse and too large to be handed to another system as CSV.")
    return pd.DataFrame(features.matrix.toarray(), columns=list(features.columns)).join(features.dense)


def class_names(schema: Schema) -> list[str]:
    """Labels of a class target as text; none for other targets."""
    return [] if schema.classes is None else [str(label) for label in schema.classes]


def read_predictions(path: Path, schema: Schema, n_rows: int) -> NDArray[np.float64]:
    """Predictions that an adapter wrote, in the form of this package's own.

    Raises
    ------
    UserError
        If they are not what was asked for.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise UserError(f"The adapter wrote no predictions that can be read ({error}).") from None
    if len(table) != n_rows:
        raise UserError(f"The adapter wrote {len(table)} rows of predictions; the test table has {n_rows}.")
    classes = class_names(schema)
    target = schema.target_names[0]
    if classes and target in table and not set(classes) <= set(table):
        return _one_hot(table[target], classes)
    wanted = classes or list(schema.target_names)
    absent = [name for name in wanted if name not in table]
    if absent:
        raise UserError(
            f"The adapter's predictions have no column {absent[0]}; they have {', '.join(map(str, table.columns))}."
        )
    try:
        values: NDArray[np.float64] = table[wanted].to_numpy().astype(np.float64)
    except ValueError as error:
        raise UserError(f"The adapter's predictions are not all numbers ({error}).") from None
    if not np.isfinite(values).all():
        raise UserError("The adapter's predictions are not all finite.")
    is_probability = schema.task_type in (TaskType.BINARY, TaskType.MULTICLASS)
    return _normalised(values) if is_probability else values


def _one_hot(labels: pd.Series, classes: list[str]) -> NDArray[np.float64]:
    unknown = set(labels) - set(classes)
    if unknown:
        raise UserError(f"The adapter predicted {sorted(unknown)[0]!r}, which is not among {', '.join(classes)}.")
    return np.asarray(labels.to_numpy()[:, None] == np.array(classes)[None, :], dtype=np.float64)


def _normalised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = values.sum(axis=1, keepdims=True)
    if (values < 0).any() or (sums <= 0).any():
        raise UserError("The adapter's probabilities are negative, or zero for all classes of a row.")
    return np.asarray(values / sums)
