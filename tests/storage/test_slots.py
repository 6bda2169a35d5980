"""Which predictions a rank keeps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mpi_automl.storage.schema import NO_TRIAL
from mpi_automl.storage.slots import Slots

costs = st.lists(st.floats(-1e6, 1e6), max_size=60)


@given(costs=costs, keep=st.integers(1, 8), dummy_at=st.integers(0, 60))
def test_the_best_are_kept_and_nothing_is_overwritten_before_it_is_replaced(
    costs: list[float], keep: int, dummy_at: int
) -> None:
    slots = Slots(keep)
    kept: dict[int, int] = {}
    dummy = dummy_at if dummy_at < len(costs) else None
    for number, cost in enumerate(costs):
        place = slots.place_for(cost, is_dummy=number == dummy)
        if place is None:
            continue
        assert place.slot not in kept.values()
        slots.take(place, number, cost, is_dummy=number == dummy)
        kept[number] = place.slot
        if place.replaces != NO_TRIAL:
            del kept[place.replaces]
    ordinary = [number for number in range(len(costs)) if number != dummy]
    best = sorted(ordinary, key=lambda number: (costs[number], number))[:keep]
    assert set(kept) == {*best, *([] if dummy is None else [dummy])}
    assert len(set(kept.values())) == len(kept)
    assert all(0 <= slot < keep + 2 for slot in kept.values())


def test_a_failed_write_takes_no_place() -> None:
    slots = Slots(1)
    slots.take(slots.place_for(1.0, is_dummy=False), 0, 1.0, is_dummy=False)
    first = slots.place_for(0.5, is_dummy=False)
    again = slots.place_for(0.5, is_dummy=False)
    assert first == again
    assert first.replaces == 0


def test_equal_costs_keep_the_earlier() -> None:
    slots = Slots(1)
    slots.take(slots.place_for(1.0, is_dummy=False), 0, 1.0, is_dummy=False)
    assert slots.place_for(1.0, is_dummy=False) is None
