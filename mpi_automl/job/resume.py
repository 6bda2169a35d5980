"""A resumed run gets a new leg: whether a run is resumed, what its earlier legs found, whether this leg fits them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.errors import UserError
from mpi_automl.runs.run import Run
from mpi_automl.search.halving import Halving
from mpi_automl.storage import schema as store_schema
from mpi_automl.storage.run_directory import FINISHED
from mpi_automl.trial import WITH_COST, Origin, Status, TrialKey, TrialUpdate

if TYPE_CHECKING:
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.settings import Settings

_NAMED_DIFFERENCES = 3


def run_path(settings: Settings) -> Path | None:
    """The run directory that a job writes to, new or resumed; None if a new one is to get a name of its own."""
    if settings.resume not in (None, "auto"):
        return Path(str(settings.resume))
    return None if settings.out is None else Path(settings.out)


def is_resumed(settings: Settings, path: Path | None) -> bool:
    """Whether a job is a new leg of the run in a directory."""
    return settings.resume is not None and path is not None and (path / "config.toml").exists()


def has_finished(settings: Settings) -> bool:
    """Whether the same command, given again with ``--resume auto``, has nothing left to do."""
    if settings.resume != "auto" or settings.out is None or not is_resumed(settings, Path(settings.out)):
        return False
    return Run(settings.out).directory.state == FINISHED


@dataclass(frozen=True, eq=False)
class EarlierLegs:
    """Finished trials of earlier legs, and what must not be tried again.

    Attributes
    ----------
    keys : tuple of TrialKey
    vectors : ndarray of float64, shape (n_trials, n_hyperparameters)
    costs : ndarray of float64, shape (n_trials,)
        NaN where a trial has none.
    statuses : ndarray of uint8, shape (n_trials,)
    seconds, budgets : ndarray of float64, shape (n_trials,)
    lost : int
        Trials that were under way when a leg ended; they may be proposed again.
    quarantined : ndarray of float64, shape (n, n_hyperparameters)
        Configurations that were under way when a leg died, twice: not proposed again.
    dummy_cost : float
        NaN if the dummy was not evaluated.
    seconds_used : float
        Wall time of the earlier legs, each from the start of its first trial to the end of its last.
    """

    keys: tuple[TrialKey, ...]
    vectors: NDArray[np.float64]
    costs: NDArray[np.float64]
    statuses: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    budgets: NDArray[np.float64]
    lost: int
    quarantined: NDArray[np.float64]
    dummy_cost: float
    seconds_used: float

    @property
    def has_dummy(self) -> bool:
        """Whether the dummy was evaluated."""
        return not np.isnan(self.dummy_cost)

    def describe(self) -> str:
        """What is known, in a part of a sentence."""
        return (
            f"{len(self.keys)} finished trials of earlier legs are known, {self.lost} were lost under way, and "
            f"{len(self.quarantined)} configurations are quarantined, because jobs died with them twice"
        )

    def tell(self, tell: Any) -> None:
        """Tell a proposer everything, by its method `Proposer.tell`."""
        if self.keys:
            finished = (self.vectors, self.costs, self.statuses, self.keys)
            tell(*finished, foreign=True, seconds=self.seconds, budgets=self.budgets)
        if len(self.quarantined):
            keys = [TrialKey(-1, 0, number) for number in range(len(self.quarantined))]
            crashed = [Status.CRASHED] * len(keys)
            tell(self.quarantined, [np.nan] * len(keys), crashed, keys, foreign=True)

    def promote(self, halving: Halving) -> None:
        """Tell successive halving everything; what jobs died with is left out for good."""
        halving.leave_out(self.quarantined)
        rows = (self.keys, self.statuses, self.costs, self.budgets, self.seconds, self.vectors)
        for key, status, cost, budget, seconds, vector in zip(*rows, strict=True):
            halving.note(
                TrialUpdate(key, Status(status), float(cost), Origin.INITIAL, float(budget), float(seconds), vector)
            )


def read_earlier_legs(run: Run) -> EarlierLegs | None:
    """What the earlier legs of a run found; None if there are none.

    A trial that the end of a leg cut off says nothing, and is left out.
    """
    if not store_schema.legs(run.path):
        return None
    reader = run.reader
    records = reader.records
    usable = np.flatnonzero((records["status"] != Status.STOPPED) & (records["origin"] != Origin.DUMMY))
    has_cost = np.isin(records["status"][usable], WITH_COST)
    dummies = (records["origin"] == Origin.DUMMY) & (records["status"] == Status.SUCCESS)
    return EarlierLegs(
        keys=tuple(reader.keys[row] for row in usable),
        vectors=reader.vectors[usable],
        costs=np.where(has_cost, records["cost"][usable], np.nan),
        statuses=records["status"][usable].copy(),
        seconds=(records["end"] - records["start"])[usable],
        budgets=records["budget"][usable].copy(),
        lost=len(reader.in_flight().keys),
        quarantined=reader.quarantined(),
        dummy_cost=float(records["cost"][dummies][0]) if dummies.any() else np.nan,
        seconds_used=sum(
            float(own["end"].max() - own["start"].min())
            for own in (records[records["leg"] == leg] for leg in np.unique(records["leg"]))
        ),
    )


def check_same_run(run: Run, setup: EvaluationSetup) -> None:
    """See that a new leg learns the same task, in the same space, by the same measure.

    Raises
    ------
    UserError
        If the table, the validation rows, the metric or the space differ; the sentence names what.
    """
    path = run.path
    if not store_schema.legs(path):
        return
    reader = run.reader
    before = reader.legs[-1]
    if before.table_digest != setup.task.digest:
        raise UserError(f"The table is not the one of {path}; resume with the same table, or choose another --out.")
    if before.metric != setup.metric.name:
        raise UserError(f"{path} optimises {before.metric}; resume with --metric {before.metric}.")
    if not np.array_equal(reader.validation_rows(), setup.resampling.validation_rows):
        raise UserError(
            f"The validation rows are not those of {path}; resume with the same --resampling, --folds and --seed."
        )
    stored = json.loads(run.directory.read_space())["configuration_space"]
    differences = _differences(stored, json.loads(setup.space.to_json())["configuration_space"])
    if differences:
        raise UserError(
            f"The search space is not the one of {path} ({differences}); resume with the same --include, --exclude, "
            "--plugins and installed packages."
        )


def _differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    if before == now:
        return ""
    old = {entry["name"]: entry for entry in before["hyperparameters"]}
    new = {entry["name"]: entry for entry in now["hyperparameters"]}
    found = [f"without {name}" for name in old if name not in new]
    found += [f"with {name}" for name in new if name not in old]
    found += [f"{name} changed" for name in old if name in new and old[name] != new[name]]
    more = f" and {len(found) - _NAMED_DIFFERENCES} more" if len(found) > _NAMED_DIFFERENCES else ""
    return ", ".join(found[:_NAMED_DIFFERENCES]) + more or "conditions changed"
