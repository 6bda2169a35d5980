"""Finding processes wherever they have gone, by a mark in the environment that they inherit."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

_VARIABLE = "PROCESSES_OF_TEST"


def new_mark() -> str:
    """Mark all processes that are started from now on."""
    os.environ[_VARIABLE] = uuid.uuid4().hex
    return os.environ[_VARIABLE]


def marked(mark: str) -> dict[int, str]:
    """Processes that carry a mark, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if f"{_VARIABLE}={mark}".encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def settle(mark: str, expected: int, seconds: float = 5.0) -> dict[int, str]:
    """Marked processes once there are only so many, or after some seconds."""
    deadline = time.monotonic() + seconds
    while len(found := marked(mark)) > expected and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
