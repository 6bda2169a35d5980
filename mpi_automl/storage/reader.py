"""Reads a run's store: all legs, either layout, also while another process is writing to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.errors import UserError
from mpi_automl.storage import schema
from mpi_automl.storage.leg_files import (
    LegInfo,
    each_slab,
    info,
    lost_slots,
    lost_slots_now,
    open_file,
    prediction_slab,
    read_rows,
)
from mpi_automl.storage.records import checksum_of
from mpi_automl.trial import Origin, Status, Trial, TrialKey

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class _Leg:
    info: LegInfo
    records: NDArray[Any]
    vectors: NDArray[np.float64]
    running: NDArray[Any]
    running_vectors: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InFlight:
    """Trials that were begun and have no end: running now, or lost when their leg died.

    Attributes
    ----------
    keys : tuple of TrialKey
    vectors : ndarray of float64, shape (n, n_hyperparameters)
    starts : ndarray of float64, shape (n,)
        Seconds since the epoch.
    """

    keys: tuple[TrialKey, ...]
    vectors: NDArray[np.float64]
    starts: NDArray[np.float64]


class RunReader:
    """All trials of a run.

    Only committed trials are seen: those whose record has a checksum that fits. What is read is the
    state at the moment of construction, or of the last `refresh`.

    Parameters
    ----------
    directory : Path or str
        The run directory.

    Attributes
    ----------
    legs : tuple of LegInfo
    records : structured ndarray, shape (n_trials,)
        In the order of leg, rank and number; fields as in the file, without ``scores``.
    vectors : ndarray of float64, shape (n_trials, n_hyperparameters)
    keys : tuple of TrialKey
    has_predictions : ndarray of bool, shape (n_trials,)
        Which trials have their predictions kept.
    problems : tuple of str
        Sentences on files that cannot be read; the trials in them are left out.

    Raises
    ------
    UserError
        If there is no store, or none of its legs can be read.
    """

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self.refresh()

    def refresh(self) -> None:
        """Read again what is committed by now."""
        numbers = schema.legs(self.directory)
        if not numbers:
            raise UserError(f"There are no trials in {self.directory}; name a run directory.")
        problems: list[str] = []
        self._legs = _read_legs(self.directory, numbers, problems)
        if not self._legs:
            raise UserError(problems[0])
        self.problems = tuple(problems)
        self.legs = tuple(leg.info for leg in self._legs.values())
        if len({(leg.space_digest, leg.table_digest) for leg in self.legs}) > 1:
            raise UserError(
                f"The legs in {self.directory} have different tables or search spaces; use another directory."
            )
        self.records = np.concatenate([_without_scores(leg.records) for leg in self._legs.values()])
        self.vectors = np.concatenate([leg.vectors for leg in self._legs.values()])
        self.keys = tuple(_keys(self.records))
        self._position = {key: position for position, key in enumerate(self.keys)}
        self.has_predictions = self._owners()

    def __len__(self) -> int:
        return len(self.keys)

    def cost(self, key: TrialKey) -> float:
        """Cost of a trial; NaN where it has none."""
        return float(self.records["cost"][self._position[key]])

    def vector(self, key: TrialKey) -> NDArray[np.float64]:
        """Configuration of a trial, shape (n_hyperparameters,)."""
        vector: NDArray[np.float64] = self.vectors[self._position[key]]
        return vector

    def _owners(self) -> NDArray[np.bool_]:
        gone = {(number, *pair) for number, leg in self._legs.items() for pair in lost_slots(leg.records)}
        kept = [key not in gone for key in self.keys]
        return np.asarray(np.array(kept, dtype=bool) & (self.records["slot"] != schema.NO_SLOT))

    def trial(self, key: TrialKey) -> Trial:
        """What was evaluated."""
        record = self.records[self._position[key]]
        facts = int(record["seed"]), Origin(record["origin"]), float(record["budget"]), int(record["iterations"])
        return Trial(key, self.vector(key), *facts, fit_seconds=float(np.nan_to_num(record["fit_seconds"])))

    def trials(self) -> pd.DataFrame:
        """One row for each trial that has ended.

        Returns
        -------
        DataFrame
            Columns: ``key`` (text leg-rank-number), ``leg``, ``rank``, ``number``, ``seed``, ``origin``
            and ``status`` (lower-case names), ``budget`` (share), ``cost``, ``start``, ``end`` (seconds
            since the epoch), ``seconds`` (between them), ``ask_seconds``, ``fit_seconds``,
            ``predict_seconds``, ``store_seconds``, ``cpu_seconds``, ``memory_peak`` (MiB), ``iterations``, ``reason``,
            ``has_predictions``, and one column ``score_<metric>`` for each further metric.
        """
        import pandas as pd

        shown = [name for name in _PLAIN.names or () if name not in _NOT_SHOWN]
        table = pd.DataFrame({name: self.records[name].astype(_PLAIN[name].newbyteorder("=")) for name in shown})
        table.insert(0, "key", [str(key) for key in self.keys])
        table["origin"] = [Origin(value).name.lower() for value in self.records["origin"]]
        table["status"] = [Status(value).name.lower() for value in self.records["status"]]
        table.insert(table.columns.get_loc("end") + 1, "seconds", table["end"] - table["start"])
        table["reason"] = [value.decode("utf-8", errors="replace") for value in self.records["reason"]]
        table["has_predictions"] = self.has_predictions
        for name, values in self.scores().items():
            table[f"score_{name}"] = values
        return table

    def scores(self) -> dict[str, NDArray[np.float64]]:
        """Values of the further metrics, shape (n_trials,) each; NaN where a trial has none."""
        names = list(dict.fromkeys(name for leg in self.legs for name in leg.extra_metrics))
        columns = {name: np.full(len(self), np.nan) for name in names}
        start = 0
        for leg in self._legs.values():
            for position, name in enumerate(leg.info.extra_metrics):
                columns[name][start : start + len(leg.records)] = leg.records["scores"][:, position]
            start += len(leg.records)
        return columns

    def best(self, n: int, among: NDArray[np.bool_] | None = None) -> list[TrialKey]:
        """The trials with the lowest costs among those whose predictions are kept and undamaged.

        Parameters
        ----------
        n : int
            How many at most.
        among : ndarray of bool, shape (n_trials,), optional
            Only these.

        Returns
        -------
        list of TrialKey
            Best first; equal costs in the order of leg, rank and number.
        """
        is_usable = self.has_predictions & np.isfinite(self.records["cost"])
        usable = np.flatnonzero(is_usable if among is None else is_usable & among)
        order = usable[np.argsort(self.records["cost"][usable], kind="stable")]
        candidates = [self.keys[position] for position in order]
        found: list[TrialKey] = []
        while candidates and len(found) < n:
            next_ones, candidates = candidates[: n - len(found)], candidates[n - len(found) :]
            undamaged = {key for key, stored in self._each_stored(next_ones) if self._fits(key, stored)}
            found += [key for key in next_ones if key in undamaged]
        return found

    def _fits(self, key: TrialKey, stored: list[NDArray[Any]]) -> bool:
        return bool(checksum_of(*stored) == self.records["predictions_checksum"][self._position[key]])

    def _each_stored(self, keys: Iterable[TrialKey]) -> Iterator[tuple[TrialKey, list[NDArray[Any]]]]:
        """Predictions and test predictions of trials, file by file."""
        places = [(prediction_slab(self.directory, self._legs[key.leg].info, key.rank), key) for key in keys]
        places.sort(key=lambda place: str(place[0].path))
        for path, group in groupby(places, key=lambda place: place[0].path):
            with open_file(path) as file:
                names = [name for name in (schema.PREDICTIONS, schema.TEST_PREDICTIONS) if name in file]
                for slab, key in group:
                    slot = self.records["slot"][self._position[key]]
                    yield key, [file[name][slab.row, slot] for name in names]

    def predictions(self, keys: Iterable[TrialKey], rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Predictions of the validation rows, shape (n_keys, n_validation, n_outputs).

        In memory the rows of each output lie together, as what scores many candidates wants them.

        Parameters
        ----------
        keys : iterable of TrialKey
        rows : ndarray of int, shape (n_validation,), optional
            The order in which the rows are wanted.

        Raises
        ------
        KeyError
            If a trial is unknown or its predictions gave way to better ones.
        UserError
            If the predictions of a trial are damaged.
        """
        return self._read_predictions(keys, 0, rows)

    def test_predictions(self, keys: Iterable[TrialKey]) -> NDArray[np.float32] | None:
        """Predictions of the test rows, shape (n_keys, n_test, n_outputs); None without a test table."""
        with open_file(schema.main_file(self.directory, self.legs[-1].leg)) as file:
            has_test = schema.TEST_PREDICTIONS in file
        return self._read_predictions(keys, 1) if has_test else None

    def _read_predictions(
        self, keys: Iterable[TrialKey], which: int, rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.float32]:
        wanted = list(keys)
        for key in wanted:
            if not self.has_predictions[self._position[key]]:
                raise KeyError(f"the predictions of trial {key} were not kept")
        by_output = np.empty((0, 0, 0), np.float32)
        positions: dict[TrialKey, list[int]] = {}
        for position, key in enumerate(wanted):
            positions.setdefault(key, []).append(position)
        for key, stored in self._each_stored(positions):
            if not self._fits(key, stored):
                self._explain_misfit(key)
            if not len(by_output):
                by_output = np.empty((len(wanted), *stored[which].shape[::-1]), np.float32)
            by_output[positions[key]] = (stored[which] if rows is None else stored[which][rows]).T
        return by_output.transpose(0, 2, 1)

    def _explain_misfit(self, key: TrialKey) -> NoReturn:
        if (key.rank, key.number) in lost_slots_now(self.directory, self._legs[key.leg].info):
            raise KeyError(f"the predictions of trial {key} have given way by now")
        raise UserError(f"The predictions of trial {key} are damaged; see mpi-automl verify {self.directory}.")

    def in_flight(self, legs: Sequence[int] | None = None) -> InFlight:
        """Trials that were begun and have no end, of all legs or of those named."""
        chosen = [leg for number, leg in self._legs.items() if legs is None or number in legs]
        records = np.concatenate([_without_scores(leg.running) for leg in chosen] or [np.empty(0, _PLAIN)])
        vectors = [leg.running_vectors for leg in chosen]
        return InFlight(
            tuple(_keys(records)),
            np.concatenate(vectors) if vectors else np.empty((0, self.vectors.shape[1])),
            records["start"].copy(),
        )

    def quarantined(self) -> NDArray[np.float64]:
        """Configurations that were being evaluated when a leg died, in two legs or more.

        Returns
        -------
        ndarray of float64, shape (n, n_hyperparameters)
        """
        counts: Counter[bytes] = Counter()
        vectors: dict[bytes, NDArray[np.float64]] = {}
        for leg in self._legs.values():
            own = dict(zip(identities(leg.running_vectors), leg.running_vectors, strict=True))
            counts.update(own.keys())
            vectors.update(own)
        twice = [vectors[name] for name, count in counts.items() if count > 1]
        return np.stack(twice) if twice else np.empty((0, self.vectors.shape[1]))

    def truth(self) -> NDArray[Any]:
        """Target of the validation rows."""
        return self._shared(schema.TRUTH)

    def test_truth(self) -> NDArray[Any] | None:
        """Target of the test rows; None where it is not known."""
        with open_file(schema.main_file(self.directory, self.legs[-1].leg)) as file:
            return file[schema.TEST_TRUTH][...] if schema.TEST_TRUTH in file else None

    def validation_rows(self) -> NDArray[np.int64]:
        """Row numbers of the table, in the order of the predictions."""
        rows: NDArray[np.int64] = self._shared(schema.VALIDATION_ROWS)
        return rows

    def space_json(self) -> str:
        """The configuration space that the vectors are encoded with."""
        return bytes(self._shared(schema.SPACE)[()]).decode("utf-8")

    def metadata(self) -> dict[str, Any]:
        """What else is known of the latest leg: names, seed, hosts, versions."""
        values: dict[str, Any] = json.loads(bytes(self._shared(schema.METADATA)[()]))
        return values

    def _shared(self, name: str) -> NDArray[Any]:
        with open_file(schema.main_file(self.directory, self.legs[-1].leg)) as file:
            values: NDArray[Any] = np.asarray(file[name][()])
            return values


_PLAIN = schema.record_dtype(0)
_NOT_SHOWN = {"slot", "replaces", "predictions_checksum", "checksum"}


def _read_legs(directory: Path, numbers: Iterable[int], problems: list[str]) -> dict[int, _Leg]:
    legs = {}
    for number in numbers:
        try:
            legs[number] = _read_leg(directory, number, problems)
        except UserError as error:
            problems.append(str(error))
    return legs


def _read_leg(directory: Path, number: int, problems: list[str]) -> _Leg:
    with open_file(schema.main_file(directory, number)) as file:
        facts = info(file)
        record_type, width = file[schema.RECORDS].dtype, file[schema.VECTORS].shape[2]
    finished = [(np.empty(0, record_type), np.empty((0, width)))]
    running = list(finished)
    for slab, file in each_slab(directory, facts, problems):
        rows = read_rows(file, slab.row)
        finished.append((rows.records[rows.finished], rows.vectors[rows.finished]))
        running.append((rows.records[rows.running], rows.vectors[rows.running]))
    return _Leg(facts, *_in_order(finished), *_in_order(running))


def _in_order(pieces: list[tuple[NDArray[Any], NDArray[np.float64]]]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    records = np.concatenate([piece[0] for piece in pieces])
    vectors = np.concatenate([piece[1] for piece in pieces])
    order = np.lexsort((records["number"], records["rank"]))
    return records[order], vectors[order]


def _without_scores(records: NDArray[Any]) -> NDArray[Any]:
    plain = np.empty(len(records), _PLAIN)
    for name in _PLAIN.names or ():
        plain[name] = records[name]
    return plain


def _keys(records: NDArray[Any]) -> Iterable[TrialKey]:
    parts = (records[name].tolist() for name in ("leg", "rank", "number"))
    return (TrialKey(*key) for key in zip(*parts, strict=True))
