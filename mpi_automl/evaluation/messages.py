"""How rank, trial server and trial talk: a short JSON description and raw arrays, over a stream socket.

Nothing is pickled on the way, so whatever a broken learner writes into the stream, nobody executes it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEAD = struct.Struct("<4sIQ")
_MAGIC = b"mpa1"
_MAX_DESCRIPTION = 2**20
"""Bytes; descriptions hold some dozen numbers and names."""
MAX_BODY = 2**40
"""Bytes of arrays a message may carry unless its reader says less."""


class DamagedStreamError(Exception):
    """What came over the stream is not a message."""


@dataclass(frozen=True, eq=False)
class Message:
    """One message.

    Attributes
    ----------
    kind : str
        What it is about.
    facts : dict
        What JSON can hold (NaN and infinity included).
    body : bytes-like
        The raw arrays one after the other; their types and shapes are in the facts.
    """

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    body: bytes | bytearray | memoryview = b""

    def encode(self) -> list[bytes | bytearray | memoryview]:
        """The message as pieces to be written one after the other."""
        description = json.dumps([self.kind, self.facts]).encode()
        head = _HEAD.pack(_MAGIC, len(description), len(self.body)) + description
        return [head, self.body] if len(self.body) else [head]

    def arrays(self) -> list[NDArray[Any] | None]:
        """The arrays that came along, writable and independent of the message."""
        import numpy as np

        found: list[NDArray[Any] | None] = []
        start = 0
        for declared in self.facts.get("arrays", ()):
            if declared is None:
                found.append(None)
                continue
            name, shape = declared
            dtype = np.dtype(name)
            count = int(np.prod(shape, dtype=np.int64))
            found.append(np.frombuffer(self.body, dtype, count, start).reshape(shape).copy())
            start += count * dtype.itemsize
        return found


def with_arrays(kind: str, facts: dict[str, Any], arrays: Sequence[np.ndarray[Any, Any] | None]) -> Message:
    """A message that carries arrays."""
    declared = [None if array is None else [array.dtype.str, list(array.shape)] for array in arrays]
    body = b"".join(array.tobytes() for array in arrays if array is not None)
    return Message(kind, {**facts, "arrays": declared}, body)


class Inbox:
    """Puts together messages from the pieces in which a stream delivers them.

    Parameters
    ----------
    largest_body : int
        Bytes; a message that announces more is taken for damage.
    """

    def __init__(self, largest_body: int = MAX_BODY) -> None:
        self._largest_body = largest_body
        self._received = bytearray()

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Take in a piece and give the messages that are complete with it.

        Raises
        ------
        DamagedStreamError
            If the piece does not continue a message.
        """
        self._received += piece
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        received = self._received
        if len(received) < _HEAD.size:
            return None
        magic, description_size, body_size = _HEAD.unpack_from(received)
        if magic != _MAGIC or description_size > _MAX_DESCRIPTION or body_size > self._largest_body:
            raise DamagedStreamError("something else than a message was written")
        body_start = _HEAD.size + description_size
        if len(received) < body_start + body_size:
            return None
        try:
            kind, facts = json.loads(received[_HEAD.size : body_start])
        except ValueError as error:
            raise DamagedStreamError("the description of a message is broken") from error
        body = bytes(memoryview(received)[body_start : body_start + body_size])
        self._received = received[body_start + body_size :]
        return Message(kind, facts, body)
