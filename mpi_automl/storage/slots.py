"""Which of a rank's trials have their predictions kept, and where."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from mpi_automl.storage.schema import NO_TRIAL


@dataclass(frozen=True)
class SlotAssignment:
    """A slot to write into, and the trial that gives way once the new record is there."""

    slot: int
    replaces: int = NO_TRIAL


class Slots:
    """Slots of one rank.

    There are two more slots than trials to keep: one for the dummy and one that is always free, so that
    nothing is overwritten before what takes its place is committed.

    Parameters
    ----------
    keep : int
        Trials whose predictions are kept, besides the dummy's.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._free = list(range(keep + 2))
        self._kept: list[tuple[float, int, int]] = []
        self._has_dummy = False

    def place_for(self, cost: float, *, is_dummy: bool) -> SlotAssignment | None:
        """Where predictions of a trial would go; None when it is no better than all that are kept."""
        if not self._free:
            return None
        slot = self._free[0]
        if len(self._kept) < self._keep or (is_dummy and not self._has_dummy):
            return SlotAssignment(slot)
        worst_cost, worst_number, _ = self._worst()
        return SlotAssignment(slot, replaces=worst_number) if cost < worst_cost else None

    def take(self, place: SlotAssignment, number: int, cost: float, *, is_dummy: bool) -> None:
        """Note that a trial's predictions are committed at a place that `place_for` gave."""
        self._free.remove(place.slot)
        if is_dummy and not self._has_dummy:
            self._has_dummy = True
            return
        if place.replaces != NO_TRIAL:
            _, _, freed = heapq.heappop(self._kept)
            self._free.append(freed)
        heapq.heappush(self._kept, (-cost, -number, place.slot))

    def _worst(self) -> tuple[float, int, int]:
        cost, number, slot = self._kept[0]
        return -cost, -number, slot
