"""Warnings of the ranks of a job, given to the user by the process that started the job."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILES = "warnings-*.json"


@contextmanager
def written_to(directory: Path) -> Iterator[None]:
    """Write this process's warnings to a file in `directory` instead of showing them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            # Each rank has a file of its own, as a rank that gathers could wait for one that has failed.
            told = [[_lineage(one.category), str(one.message), one.filename, one.lineno] for one in caught]
            (directory / _FILES.replace("*", str(os.getpid()))).write_text(json.dumps(told))


def give(directory: Path) -> None:
    """Give the warnings in `directory` once each; the filters of this process decide what becomes of them."""
    given = set()
    for path in sorted(directory.glob(_FILES)):
        for lineage, message, filename, line in json.loads(path.read_text()):
            if (message, filename, line) not in given:
                given.add((message, filename, line))
                warnings.warn_explicit(message, _category(lineage), filename, line)


def _lineage(category: type[Warning]) -> list[tuple[str, str]]:
    return [(one.__module__, one.__qualname__) for one in category.__mro__]


def _category(lineage: list[tuple[str, str]]) -> type[Warning]:
    """The category, or the nearest one above it that this process knows."""
    for module, name in lineage:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning
