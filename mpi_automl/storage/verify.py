"""Verifies every checksum of a run's store, says what it found, and mends what can be mended on request."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.errors import UserError
from mpi_automl.storage import schema
from mpi_automl.storage.leg_files import (
    LegInfo,
    Rows,
    Slab,
    info,
    lost_slots,
    lost_slots_now,
    open_file,
    prediction_slab,
    read_rows,
    slabs,
)
from mpi_automl.storage.masters import make_master, without_master
from mpi_automl.storage.records import checksum_of, sealed
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DamagedPredictions:
    """Predictions whose checksum does not fit their record."""

    key: TrialKey
    path: Path
    record_path: Path
    row: int
    position: int


@dataclass
class CheckReport:
    """What a check found.

    Attributes
    ----------
    legs : int
    committed : int
        Trials with an intact record.
    in_flight : int
        Trials that were begun and have no end.
    predictions : int
        Predictions that are kept and undamaged.
    damaged : list of DamagedPredictions
    torn : list of str
        Records with content and a wrong checksum, by file, rank and number.
    unreadable : list of str
        Sentences on files that are missing or cannot be read.
    unfinished : list of Path
        Files whose layout was never completed; no trial can be in them.
    masters : list of int
        Legs with files of ranks and no master; `repair` can make one.
    """

    legs: int = 0
    committed: int = 0
    in_flight: int = 0
    predictions: int = 0
    damaged: list[DamagedPredictions] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)
    masters: list[int] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing that was committed is damaged or out of reach."""
        return not (self.damaged or self.torn or self.unreadable or self.masters)

    def lines(self) -> list[str]:
        """The report for people."""
        legs = "1 leg" if self.legs == 1 else f"{self.legs} legs"
        found = [
            f"{legs}, {self.committed} trials committed, {self.in_flight} begun without an end, "
            f"{self.predictions} predictions undamaged"
        ]
        found += [f"damaged: predictions of trial {item.key} in {item.path.name}" for item in self.damaged]
        found += [f"torn: {text}" for text in self.torn]
        found += self.unreadable
        found += [f"leg {leg} has files of ranks but no master; repair makes one" for leg in self.masters]
        found += [f"{path.name} was never laid out in full; it holds no trial" for path in self.unfinished]
        return [*found, "nothing is damaged" if self.is_sound else "not everything is sound"]


def check(directory: Path | str) -> CheckReport:
    """Verify every record and every prediction of a run's store.

    Parameters
    ----------
    directory : Path or str
        The run directory.

    Raises
    ------
    UserError
        If there is no store at all.
    """
    place = Path(directory)
    store = schema.store_directory(place)
    if not store.is_dir():
        raise UserError(f"There is no store in {place}; name a run directory.")
    report = CheckReport()
    report.unfinished = sorted(store.glob(f"*{schema.UNFINISHED_SUFFIX}"))
    legs = schema.legs(place)
    report.masters = without_master(place)
    for leg in legs:
        try:
            with open_file(schema.main_file(place, leg)) as file:
                facts = info(file)
        except UserError as error:
            report.unreadable.append(str(error))
            continue
        report.legs += 1
        _check_leg(place, facts, report)
    return report


def _check_leg(directory: Path, leg: LegInfo, report: CheckReport) -> None:
    found: list[tuple[Slab, Rows]] = []
    for slab in slabs(directory, leg):
        try:
            with open_file(slab.path) as file:
                rows = read_rows(file, slab.row, to_the_end=True)
        except UserError as error:
            report.unreadable.append(str(error))
            continue
        found.append((slab, rows))
        report.committed += int(rows.finished.sum())
        report.in_flight += int(rows.running.sum())
        torn = rows.torn
        if torn.any():
            # A record that was being written a moment ago is whole by now.
            with open_file(slab.path) as file:
                torn = torn & read_rows(file, slab.row, to_the_end=True).torn[: len(torn)]
        report.torn += [f"record {position} of rank {slab.rank} in {slab.path.name}" for position in torn.nonzero()[0]]
    gone = set().union(*(lost_slots(rows.records[rows.finished]) for _, rows in found))
    for slab, rows in found:
        _check_predictions(directory, leg, slab, rows, gone, report)


def _check_predictions(
    directory: Path, leg: LegInfo, slab: Slab, rows: Rows, gone: set[tuple[int, int]], report: CheckReport
) -> None:
    kept = [
        position
        for position in (rows.finished & (rows.records["slot"] != schema.NO_SLOT)).nonzero()[0].tolist()
        if (slab.rank, int(rows.records["number"][position])) not in gone
    ]
    if not kept:
        return
    place = prediction_slab(directory, leg, slab.rank)
    try:
        file = open_file(place.path)
    except UserError:
        return
    with file:
        for position in kept:
            record = rows.records[position]
            if _stored_checksum(file, place.row, int(record["slot"])) == record["predictions_checksum"]:
                report.predictions += 1
            elif (slab.rank, int(record["number"])) not in lost_slots_now(directory, leg):
                key = TrialKey(leg.leg, slab.rank, int(record["number"]))
                report.damaged.append(DamagedPredictions(key, place.path, slab.path, slab.row, position))


def _stored_checksum(file: Any, row: int, slot: int) -> int:
    names = [name for name in (schema.PREDICTIONS, schema.TEST_PREDICTIONS) if name in file]
    return checksum_of(*(file[name][row, slot] for name in names))


def repair(directory: Path | str, report: CheckReport) -> list[str]:
    """Repair what `verify` found, as far as possible; nothing is deleted.

    A record whose predictions are damaged is rewritten to say that there are none; the old record is
    kept in ``store/repair-<time>.json``. A missing master is made anew from the files of the ranks.

    Parameters
    ----------
    directory : Path or str
        The run directory; no job may be writing to it.
    report : CheckReport

    Returns
    -------
    list of str
        What was done, in sentences.
    """
    place = Path(directory)
    done = []
    if report.damaged:
        journal = schema.store_directory(place) / f"repair-{time.strftime('%Y%m%d_%H%M%S')}.json"
        old = [_without_slot(item, write=False) for item in report.damaged]
        atomic_write_text(
            journal, json.dumps([{"key": str(i.key), "record": o} for i, o in zip(report.damaged, old, strict=True)])
        )
        for item in report.damaged:
            _without_slot(item, write=True)
            done.append(f"The record of trial {item.key} now says that it has no predictions (before: {journal.name}).")
    for leg in report.masters:
        make_master(place, leg)
        done.append(f"Leg {leg} has a master again.")
    return done


def _without_slot(item: DamagedPredictions, *, write: bool) -> str:
    """Bytes of a record as hexadecimal text; with `write`, the record loses its slot."""
    with open_file(item.record_path, "r+" if write else "r") as file:
        record: NDArray[Any] = file[schema.RECORDS][item.row, item.position]
        text = record.tobytes().hex()
        if write:
            changed = record.copy()
            changed["slot"], changed["predictions_checksum"] = schema.NO_SLOT, 0
            vector = file[schema.VECTORS][item.row, item.position]
            file[schema.RECORDS][item.row, item.position] = sealed(changed, vector)
    return text
