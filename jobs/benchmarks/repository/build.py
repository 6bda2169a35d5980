"""Building a repository: ranks take units until none is left, the first candidates on all tables before later ones.

There is no server that deals: a unit belongs to the rank that makes its lock file, as the runs of a study do
(`mpi_automl.study.queue`), so ranks may be killed and others may join at any time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.evaluation.evaluator import Evaluator
from mpi_automl.job.session import start_ranks
from mpi_automl.job.signals import StopSignals
from mpi_automl.storage.run_lock import RunLock
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey
from repository.candidates import COMMITTED, STEPS, Candidate, load_candidates
from repository.tables import TableEntry, Truth, make_setup, read_index, truth_of
from repository.units import SKIPPED, Unit, UnitFiles

if TYPE_CHECKING:
    from mpi_automl.evaluation.setup import EvaluationSetup

_POLL = 0.5
_TOUCH = 20.0
"""Seconds between signs of life; a lock of another host is stale after two minutes without one."""


@dataclass(frozen=True)
class BuildOptions:
    """How a repository is built.

    Attributes
    ----------
    out : Path
    tables : Path
        Folder with an ``index.json``.
    only : list of str or None
        Tables; by default all.
    rows : int
        Of a larger table, so many.
    most : int or None
        Candidates of each list; by default all.
    trial_time : float
        Seconds that a trial may take, all folds together.
    memory : float
        MiB that a trial may add.
    seconds : float
        After so long no further unit is begun.
    candidates : Path
        Folder of the lists of candidates.
    nice : int
        By how much the priority of all processes is lowered.
    """

    out: Path
    tables: Path
    only: list[str] | None = None
    rows: int = 10_000
    most: int | None = None
    trial_time: float = 60.0
    memory: float = 3072.0
    seconds: float = float("inf")
    candidates: Path = COMMITTED
    nice: int = 10


UnitKey = tuple[TableEntry, int]
"""A table and the number of a candidate."""


class Dealer:
    """One rank's view of the units that are left.

    Parameters
    ----------
    files : UnitFiles
    tables : sequence of TableEntry
    counts : mapping of str to int
        Number of candidates of each step.
    """

    def __init__(self, files: UnitFiles, tables: Sequence[TableEntry], counts: Mapping[str, int]) -> None:
        self._files = files
        done = {(table.name, number) for table in tables for number in files.finished(table.name)}
        longest = max((counts[table.step] for table in tables), default=0)
        self._left = [
            (table, number)
            for number in range(longest)
            for table in tables
            if number < counts[table.step] and (table.name, number) not in done
        ]

    def __len__(self) -> int:
        return len(self._left)

    def take(self) -> tuple[UnitKey, RunLock] | None:
        """Claim the first unit that is not done and that nobody is at; None when there is none."""
        while self._left:
            table, number = self._left.pop(0)
            lock = RunLock(self._files.claim(table.name, number))
            if self._files.unit(table.name, number).exists() or not lock.try_acquire():
                continue
            # Between the first look and the claim somebody may have finished it.
            if not self._files.unit(table.name, number).exists():
                return (table, number), lock
            lock.release()
        return None


@dataclass(frozen=True, eq=False)
class _OpenTable:
    """A table as a rank evaluates trials on it."""

    setup: EvaluationSetup
    truth: Truth
    packed: Path


class UnitEvaluator:
    """Evaluates units in this rank's trial server.

    Parameters
    ----------
    evaluator : Evaluator
    options : BuildOptions
    files : UnitFiles
    place : Path
        Folder for the tables as the trial server reads them.

    Attributes
    ----------
    files : UnitFiles
    """

    def __init__(self, evaluator: Evaluator, options: BuildOptions, files: UnitFiles, place: Path) -> None:
        self._evaluator, self._options, self._place = evaluator, options, place
        self.files = files
        self._tables: dict[str, _OpenTable] = {}
        self._opened = ""

    def evaluate(self, entry: TableEntry, candidate: Candidate, lock: RunLock, signals: StopSignals) -> Unit | None:
        """Evaluate a candidate on a table; None where a signal stopped it."""
        from mpi_automl.search.portfolio import adapt_configuration
        from mpi_automl.search.vectors import VectorSpace

        table = self._open(entry)
        vector = adapt_configuration(VectorSpace(table.setup.space.configspace), candidate.values)
        if vector is None:
            return Unit(SKIPPED, "the search space of the table has no such configuration")
        trial = Trial(TrialKey(0, 0, 0), vector, 1, Origin.INITIAL)
        self._evaluator.submit(trial, seconds=self._options.trial_time, memory=self._options.memory)
        result = self._wait(lock, signals)
        return None if result.status is Status.STOPPED else _unit_of(result, table)

    def _open(self, entry: TableEntry) -> _OpenTable:
        from mpi_automl.data.shared import pack, write_packed

        if entry.name not in self._tables:
            setup = make_setup(entry, self._options.rows)
            packed = self._place / entry.name
            write_packed(packed, *pack(setup))
            self._tables[entry.name] = _OpenTable(setup, truth_of(setup), packed)
            self.files.write_truth(entry.name, self._tables[entry.name].truth)
        if self._opened != entry.name:
            self._evaluator.open(self._tables[entry.name].packed)
            self._opened = entry.name
        return self._tables[entry.name]

    def _wait(self, lock: RunLock, signals: StopSignals) -> Result:
        touched, is_cancelled = time.monotonic(), False
        while not (results := self._evaluator.poll(_POLL)):
            if signals.received is not None and not is_cancelled:
                self._evaluator.cancel()
                is_cancelled = True
            if time.monotonic() - touched > _TOUCH:
                lock.touch()
                touched = time.monotonic()
        (result,) = results
        assert isinstance(result, Result)
        return result


def _unit_of(result: Result, table: _OpenTable) -> Unit:
    used: dict[str, Any] = {
        "seconds": result.end - result.start,
        "cpu_seconds": result.cpu_seconds,
        "fit_seconds": result.fit_seconds,
        "predict_seconds": result.predict_seconds,
        "memory_peak": result.memory_peak,
        "iterations": getattr(result, "iterations", 0),
    }
    if not result.has_cost:
        return Unit(int(result.status), result.reason, **used)
    setup, truth = table.setup, table.truth
    assert result.predictions is not None
    assert result.test_predictions is not None

    def cost(y: np.ndarray, predictions: np.ndarray) -> float:
        try:
            return float(setup.metric.cost(y, predictions, setup.task.type))
        except ValueError:
            return float("nan")

    folds = [truth.folds == number for number in range(len(setup.resampling.folds))]
    return Unit(
        int(result.status),
        result.reason,
        cost=result.cost,
        held_out_cost=cost(truth.y_test, result.test_predictions),
        fold_costs=np.array([cost(truth.y[rows], result.predictions[rows]) for rows in folds]),
        scores=np.array([result.scores.get(metric.name, np.nan) for metric in setup.extra_metrics]),
        predictions=truth.encode(result.predictions),
        held_out=truth.encode(result.test_predictions),
        **used,
    )


def build(options: BuildOptions) -> int:
    """Collective. Evaluate what is left; gives the number of units that this rank has finished.

    Raises
    ------
    UserError
        If the repository was begun with other candidates.
    """
    os.nice(options.nice)
    until = time.monotonic() + options.seconds
    with Evaluator.start(threads=1) as evaluator, start_ranks() as ranks, StopSignals() as signals:
        files, entries = UnitFiles(options.out), read_index(options.tables, options.only)
        ranks.world.on_root(lambda: _prepare(files, entries, options))
        candidates = {step: load_candidates(files.candidates(step))[: options.most] for step in STEPS}
        dealer = Dealer(files, entries, {step: len(found) for step, found in candidates.items()})
        if ranks.world.is_root:
            print(f"{len(dealer)} units are left", flush=True)

        def own_share() -> int:
            with tempfile.TemporaryDirectory(prefix=".rank-", dir=files.path) as place:
                worker = UnitEvaluator(evaluator, options, files, Path(place))
                return _work(dealer, worker, candidates, signals, until)

        # A rank that has to give up says so when the others have done what is left.
        return ranks.world.together(own_share)


def _work(
    dealer: Dealer,
    worker: UnitEvaluator,
    candidates: Mapping[str, Sequence[Candidate]],
    signals: StopSignals,
    until: float,
) -> int:
    """Do units until none is left; gives their number."""
    finished = 0
    while signals.received is None and time.monotonic() < until and (claimed := dealer.take()) is not None:
        (entry, number), lock = claimed
        try:
            unit = worker.evaluate(entry, candidates[entry.step][number], lock, signals)
            if unit is not None:
                worker.files.write(entry.name, number, unit)
                finished += 1
                print(_line(entry, number, candidates[entry.step], unit), flush=True)
        finally:
            lock.release()
    return finished


def _prepare(files: UnitFiles, entries: Sequence[TableEntry], options: BuildOptions) -> None:
    """Make the folders and keep the candidates, whose numbers name the units."""
    files.make([entry.name for entry in entries])
    for step in STEPS:
        source, kept = options.candidates / f"{step}.json", files.candidates(step)
        known = load_candidates(kept) if kept.exists() else []
        # Units carry the numbers of their candidates, so a list may grow at its end.
        if load_candidates(source)[: len(known)] == known:
            shutil.copy(source, kept)
        else:
            raise UserError(f"{files.path} was begun with other candidates than {source}; choose another directory.")


def _line(entry: TableEntry, number: int, candidates: Sequence[Candidate], unit: Unit) -> str:
    status = "skipped" if unit.status == SKIPPED else Status(unit.status).name.lower()
    return (
        f"{entry.name} {number} {candidates[number].learner}: {status}, cost {unit.cost:.5f}, "
        f"held out {unit.held_out_cost:.5f}, {unit.seconds:.1f} s {unit.reason}"
    )
