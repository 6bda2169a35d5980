"""The stream between rank, server and trial."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_automl.evaluation.messages import DamagedStreamError, Inbox, Message, with_arrays

FLOATS = np.arange(6, dtype=np.float32).reshape(2, 3)


@given(st.lists(st.integers(0, 40), max_size=5), st.integers(1, 50))
def test_messages_survive_any_cutting(sizes, piece_size):
    sent = [with_arrays("kind", {"number": i}, [np.arange(size)]) for i, size in enumerate(sizes)]
    stream = b"".join(bytes(piece) for message in sent for piece in message.encode())
    inbox = Inbox()
    pieces = (stream[start : start + piece_size] for start in range(0, len(stream), piece_size))
    received = [message for piece in pieces for message in inbox.feed(piece)]
    assert [message.facts["number"] for message in received] == list(range(len(sizes)))
    for size, message in zip(sizes, received, strict=True):
        assert np.array_equal(message.arrays()[0], np.arange(size))


def test_arrays_keep_type_shape_and_absence():
    (received,) = Inbox().feed(b"".join(bytes(p) for p in with_arrays("x", {"cost": np.nan}, [None, FLOATS]).encode()))
    nothing, floats = received.arrays()
    assert nothing is None
    assert floats.dtype == np.float32
    assert np.array_equal(floats, FLOATS)
    assert floats.flags.writeable
    assert np.isnan(received.facts["cost"])


@pytest.mark.parametrize(
    "damage", [b"x" * 100, b"mpa1" + b"\xff" * 12, b"mpa1\x02\x00\x00\x00" + bytes(8) + b"[]", bytes(16)]
)
def test_damage_is_noticed(damage):
    with pytest.raises(DamagedStreamError):
        list(Inbox().feed(damage))


def test_too_large_a_body_is_refused_before_it_comes():
    first = Message("x", {}, bytes(100)).encode()[0]
    with pytest.raises(DamagedStreamError):
        list(Inbox(largest_body=99).feed(bytes(first)))
