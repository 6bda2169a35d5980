"""The directory of a study: the same whichever way its runs are executed.

::

    study.toml        the file as it was given
    plan.json         all runs and their inputs
    splits/           rows of the outer splits
    runs/<id>/        one run
        claim.json        who is at it
        attempt-0/        everything it writes; a further attempt begins another one
        result.json       how it ended: written last, as a whole
    groups/           what each group of ranks did when
    submit/           batch scripts and their output
    results.parquet, results.csv, report/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.errors import UserError
from mpi_automl.storage.run_lock import RunLock
from mpi_automl.study.plan import PlannedRun, StudyPlan


class State(str, Enum):
    """How far a run is."""

    FINISHED = "finished"
    FAILED = "failed"
    RUNNING = "running"
    HALF_WRITTEN = "half-written"
    """It was begun, and whoever did so has gone without a result: it counts as missing."""
    WAITING = "waiting"


@dataclass(frozen=True)
class RunState:
    """A run and how far it is.

    Attributes
    ----------
    run : PlannedRun
    state : State
    attempts : int
        How often it was begun.
    remark : str
        Who is at it, or why it failed.
    """

    run: PlannedRun
    state: State
    attempts: int
    remark: str = ""


class StudyDirectory:
    """Where everything of a study lies.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def existing(cls, path: Path) -> StudyDirectory:
        """The directory of a study that has been begun.

        Raises
        ------
        UserError
            If there is none.
        """
        if not (path / "plan.json").is_file():
            raise UserError(
                f"{path} is not the directory of a study; begin with mpi-automl study run FILE.toml or name another."
            )
        return cls(path)

    @property
    def splits(self) -> Path:
        """Where the rows of the outer splits are kept."""
        return self.path / "splits"

    @property
    def groups(self) -> Path:
        """Where groups of ranks write what they did."""
        return self.path / "groups"

    def write_plan(self, plan: StudyPlan, source: Path) -> None:
        """Write the plan; runs of an earlier one stay, and count again where their inputs are the same.

        Raises
        ------
        UserError
            If the directory cannot be made, or something else is there.
        """
        if self.path.exists() and any(self.path.iterdir()) and not (self.path / "plan.json").exists():
            raise UserError(f"{self.path} is not empty and not of a study; choose another directory with --out.")
        try:
            for part in (self.path / "runs", self.groups, self.splits):
                part.mkdir(parents=True, exist_ok=True)
            atomic_write_text(self.path / "study.toml", source.read_text(encoding="utf-8"))
            atomic_write_text(self.path / "plan.json", plan.to_json())
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be made ({error.strerror}); choose another directory with --out."
            ) from None

    def read_plan(self) -> StudyPlan:
        """The plan.

        Raises
        ------
        UserError
            If it cannot be read.
        """
        return StudyPlan.from_json((self.path / "plan.json").read_text(encoding="utf-8"))

    def of(self, run: PlannedRun) -> Path:
        """Directory of a run."""
        return self.path / "runs" / run.id

    def claim(self, run: PlannedRun) -> RunLock:
        """The lock that says who is at a run."""
        return RunLock(self.of(run) / "claim.json")

    def begin(self, run: PlannedRun) -> Path:
        """Make the directory of another attempt at a run.

        Raises
        ------
        UserError
            If it cannot be made.
        """
        place = self.of(run)
        number = len(self._attempts(run))
        while True:
            attempt = place / f"attempt-{number}"
            try:
                attempt.mkdir(parents=True)
            except FileExistsError:
                number += 1
            except OSError as error:
                raise UserError(f"{attempt} cannot be made ({error.strerror}).") from None
            else:
                return attempt

    def _attempts(self, run: PlannedRun) -> list[Path]:
        return list(self.of(run).glob("attempt-*"))

    def write_result(self, run: PlannedRun, result: Mapping[str, Any]) -> None:
        """Write how a run ended; what was there before, such as a failure, gives way.

        Raises
        ------
        UserError
            If it cannot be written.
        """
        path = self.of(run) / "result.json"
        try:
            atomic_write_text(path, json.dumps(result, indent=1))
        except OSError as error:
            raise UserError(f"{path} cannot be written ({error.strerror}).") from None

    def read_result(self, run: PlannedRun) -> dict[str, Any] | None:
        """How a run ended; None before its end."""
        try:
            result: dict[str, Any] = json.loads((self.of(run) / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return result

    def state(self, run: PlannedRun) -> RunState:
        """How far a run is."""
        attempts = len(self._attempts(run))
        holder = self.claim(run).holder()
        if holder:
            return RunState(run, State.RUNNING, attempts, holder)
        result = self.read_result(run)
        if result is not None:
            return RunState(run, State(result["state"]), attempts, str(result.get("error", "")))
        return RunState(run, State.HALF_WRITTEN if attempts else State.WAITING, attempts)

    def states(self, runs: Sequence[PlannedRun]) -> list[RunState]:
        """How far each run is."""
        return [self.state(run) for run in runs]

    def write_group(self, name: str, account: Mapping[str, Any]) -> None:
        """Write what a group of ranks has done so far."""
        atomic_write_text(self.groups / f"{name}.json", json.dumps(account, indent=1), durable=False)

    def read_groups(self) -> Iterator[dict[str, Any]]:
        """What all groups of ranks have done."""
        for path in sorted(self.groups.glob("*.json")):
            with suppress(OSError, ValueError):
                yield json.loads(path.read_text(encoding="utf-8"))
