"""The two messages of a run, as flat float64 arrays.

Fixed layouts of numbers need no pickling, fit any fabric and are received into a buffer of known
type: a header, one row of facts per trial, and the configurations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

_HEADER = 8
_ROW = 8


@dataclass(frozen=True)
class Report:
    """From a rank to rank 0.

    Attributes
    ----------
    rank : int
    sent : float
        Seconds since the epoch on rank 0's clock.
    busy_seconds : float
        Time the rank's trials took since the search began: its utilisation.
    received : int
        Finished trials of other ranks that the rank has received.
    wants_stop : bool
        The rank got a signal to stop.
    is_last : bool
        The rank has stopped searching; nothing follows.
    trials : tuple of TrialUpdate
        Trials started or finished since the last report.
    """

    rank: int
    sent: float
    busy_seconds: float = 0.0
    received: int = 0
    wants_stop: bool = False
    is_last: bool = False
    trials: tuple[TrialUpdate, ...] = ()


@dataclass(frozen=True)
class Bulletin:
    """From rank 0 to one rank.

    Attributes
    ----------
    number : int
        How many trials have been passed on up to the last one in here, or in which round.
    sent : float
        Seconds since the epoch on rank 0's clock.
    stop : bool
        Stop searching now.
    is_last : bool
        Everything that any rank reported has been passed on.
    trials : tuple of TrialUpdate
        New incumbents, or finished and pending trials of all ranks, in the order they arrived.
    promotions : tuple of TrialUpdate
        Trials that this rank is to repeat, with the budget that is given here.
    """

    number: int
    sent: float
    stop: bool = False
    is_last: bool = False
    trials: tuple[TrialUpdate, ...] = field(default=())
    promotions: tuple[TrialUpdate, ...] = ()


def encode_report(report: Report) -> NDArray[np.float64]:
    """Flat array of a report."""
    flags = report.wants_stop + 2 * report.is_last
    return _encode((report.rank, report.sent, report.busy_seconds, report.received, flags), report.trials)


def report_length(trials: int, n_hyperparameters: int) -> int:
    """Length of the flat array of a report of so many trials, at most."""
    return _HEADER + trials * (_ROW + n_hyperparameters) + _mask_length(trials, n_hyperparameters)


def decode_report(buffer: NDArray[np.float64]) -> Report:
    """Report from its flat array, which may be longer than the report."""
    rank, sent, busy, received, flags = buffer[:5]
    return Report(
        int(rank), float(sent), float(busy), int(received), bool(int(flags) & 1), bool(int(flags) & 2), _decode(buffer)
    )


def encode_bulletin(bulletin: Bulletin) -> NDArray[np.float64]:
    """Flat array of a bulletin."""
    flags = bulletin.stop + 2 * bulletin.is_last
    header = (bulletin.number, bulletin.sent, flags, len(bulletin.promotions))
    return _encode(header, (*bulletin.trials, *bulletin.promotions))


def decode_bulletin(buffer: NDArray[np.float64]) -> Bulletin:
    """Bulletin from its flat array."""
    number, sent, flags, promoted = buffer[:4]
    rows = _decode(buffer)
    border = len(rows) - int(promoted)
    return Bulletin(int(number), float(sent), bool(int(flags) & 1), bool(int(flags) & 2), rows[:border], rows[border:])


def _encode(header: tuple[float, ...], trials: tuple[TrialUpdate, ...]) -> NDArray[np.float64]:
    """Header, a row of facts for each trial, and the vectors without their inactive hyperparameters, which most are."""
    buffer = np.zeros(_HEADER)
    buffer[: len(header)] = header
    if not trials:
        return buffer
    vectors = np.array([trial.vector for trial in trials])
    buffer[_HEADER - 2 :] = vectors.shape
    is_active = ~np.isnan(vectors)
    bits = np.packbits(is_active)
    mask = np.concatenate([bits, np.zeros(-len(bits) % 8, np.uint8)]).view(np.float64)
    facts = np.array([_facts(trial) for trial in trials], dtype=np.float64).reshape(-1)
    return np.concatenate([buffer, facts, mask, vectors[is_active]])


def _facts(trial: TrialUpdate) -> tuple[float, ...]:
    return (*trial.key, trial.status, trial.cost, trial.origin, trial.budget, trial.seconds)


def _decode(buffer: NDArray[np.float64]) -> tuple[TrialUpdate, ...]:
    count, width = int(buffer[_HEADER - 2]), int(buffer[_HEADER - 1])
    if count == 0:
        return ()
    after_facts = _HEADER + count * _ROW
    after_mask = after_facts + _mask_length(count, width)
    facts = buffer[_HEADER:after_facts].reshape(count, _ROW)
    bits = np.unpackbits(buffer[after_facts:after_mask].view(np.uint8), count=count * width)
    is_active = bits.astype(np.bool_).reshape(count, width)
    vectors = np.full((count, width), np.nan)
    vectors[is_active] = buffer[after_mask : after_mask + int(is_active.sum())]
    return tuple(_trial(row, vector) for row, vector in zip(facts.tolist(), vectors, strict=True))


def _mask_length(count: int, width: int) -> int:
    return -(-count * width // 64)


def _trial(row: list[float], vector: NDArray[np.float64]) -> TrialUpdate:
    leg, rank, number, status, cost, origin, budget, seconds = row
    return TrialUpdate(
        TrialKey(int(leg), int(rank), int(number)),
        Status(int(status)),
        cost,
        Origin(int(origin)),
        budget,
        seconds,
        vector,
    )
