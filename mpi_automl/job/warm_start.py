"""What earlier runs, on the same or on a similar table, give a new one to begin with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.job.resume import EarlierLegs, read_earlier_legs
from mpi_automl.runs.run import Run
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.search.warm_start import Translation
    from mpi_automl.storage.reader import RunReader

    Floats = NDArray[np.float64]

MIN_CONFIGURATIONS, MAX_CONFIGURATIONS = 10, 100
"""How many configurations are used in all: one for each rank, within these bounds."""


@dataclass(frozen=True, eq=False)
class WarmStart:
    """What a new run takes over from others.

    Attributes
    ----------
    vectors : ndarray of float64, shape (n, n_hyperparameters)
        Configurations to evaluate first, the best of every run before the second best of any.
    histories : tuple of EarlierLegs
        Trials of runs with the same table, validation rows, metric and space, which the surrogate learns from. Their
        keys have negative legs, so that they are nobody's in this run.
    notes : tuple of str
        What was taken over, in one sentence for each run.
    """

    vectors: Floats
    histories: tuple[EarlierLegs, ...]
    notes: tuple[str, ...]

    def tell(self, tell: Any) -> None:
        """Tell a proposer the trials that count here as well, by its method `Proposer.tell`."""
        for history in self.histories:
            history.tell(tell)


@dataclass(frozen=True, eq=False)
class _OtherRun:
    vectors: Floats
    history: EarlierLegs | None
    note: str


def read_warm_start(paths: Sequence[str], setup: EvaluationSetup, ranks: int) -> WarmStart:
    """Read other runs, finished or not.

    Parameters
    ----------
    paths : sequence of str
        Run directories.
    setup : EvaluationSetup
        Of the run that begins.
    ranks : int

    Raises
    ------
    UserError
        If one of them is no run directory, cannot be read, or has nothing that this run can use.
    """
    from mpi_automl.search.initial import distinct

    count = min(max(MIN_CONFIGURATIONS, ranks), MAX_CONFIGURATIONS)
    runs = [_read(Path(path), number, setup, count) for number, path in enumerate(paths)]
    in_turn = [vector for vector in chain(*zip_longest(*(run.vectors for run in runs))) if vector is not None]
    rows = np.array(in_turn).reshape(-1, len(setup.space.configspace))
    histories = tuple(run.history for run in runs if run.history is not None)
    return WarmStart(distinct(rows)[:count], histories, tuple(run.note for run in runs))


def _read(path: Path, number: int, setup: EvaluationSetup, count: int) -> _OtherRun:
    run = Run(path)
    path = run.directory.path  # what is no run directory is refused here, with a better reason than missing trials
    rows = run.ranking[:count]
    found = _translated(run, rows, setup)
    if not len(found.vectors):
        reason = "no trial of it succeeded" if not len(rows) else "none of its best configurations is in this space"
        raise UserError(f"--warm-start {path} gives nothing to begin with: {reason}; leave it out.")
    taken = f"{len(found.vectors)} of the best configurations of {path} are tried first"
    if difference := _difference(run.reader, setup):
        return _OtherRun(
            found.vectors, None, f"{taken}{_losses(found)}; its costs do not count here: it has {difference}."
        )
    history = _as_foreign(read_earlier_legs(run), number)
    known = 0 if history is None else len(history.keys)
    return _OtherRun(
        found.vectors, history, f"{taken}, and its {known} trials are known to the search: it is the same task."
    )


def _translated(run: Run, rows: NDArray[np.intp], setup: EvaluationSetup) -> Translation:
    """Some of another run's configurations, in terms of this run's space."""
    from ConfigSpace import Configuration, ConfigurationSpace

    from mpi_automl.search.initial import distinct
    from mpi_automl.search.vectors import VectorSpace
    from mpi_automl.search.warm_start import Translation, translate

    reader = run.reader
    if reader.legs[-1].space_digest == setup.space.digest:
        return Translation(distinct(reader.vectors[rows]), 0, 0, 0)
    stored = json.loads(run.directory.read_space())
    space = ConfigurationSpace.from_serialized_dict(stored["configuration_space"])
    configurations = [{**stored["fixed"], **dict(Configuration(space, vector=reader.vectors[row]))} for row in rows]
    return translate(VectorSpace(setup.space.configspace), configurations, setup.space.fixed_choices)


def _difference(reader: RunReader, setup: EvaluationSetup) -> str:
    """In what another run differs so that its costs cannot be compared; empty if in nothing."""
    before = reader.legs[-1]
    if before.table_digest != setup.task.digest:
        return "another table"
    if before.metric != setup.metric.name:
        return "another metric"
    if not np.array_equal(reader.validation_rows(), setup.resampling.validation_rows):
        return "other validation rows"
    return "" if before.space_digest == setup.space.digest else "another search space"


def _losses(found: Translation) -> str:
    parts = [
        f"{found.left_out} have no counterpart in this space" if found.left_out else "",
        f"{found.changed} values that are not legal here were replaced" if found.changed else "",
        f"{found.unknown} values of hyperparameters that are not in this space were left out" if found.unknown else "",
    ]
    losses = "; ".join(part for part in parts if part)
    return f" ({losses})" if losses else ""


def _as_foreign(history: EarlierLegs | None, number: int) -> EarlierLegs | None:
    """Under keys that no trial of this run has; what died with other jobs may be tried again."""
    if history is None:
        return None
    # -1 is taken by configurations that killed jobs; a run has far fewer than 1000 legs.
    keys = tuple(TrialKey(-2 - 1000 * number - key.leg, key.rank, key.number) for key in history.keys)
    return replace(history, keys=keys, quarantined=history.quarantined[:0])
