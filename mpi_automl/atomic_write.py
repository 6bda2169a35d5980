"""Files that appear in full or not at all, so that no reader ever sees half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to, which replaces `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
    durable : bool
        Wait until the file and its name are on disk, so that a power failure leaves the old file or the new one.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        if durable:
            _sync(temporary)
        temporary.replace(path)
    finally:
        # Left after an error, and by rename(2) where both names are links to one file already.
        temporary.unlink(missing_ok=True)
    if durable:
        sync_directory(path.parent)


def atomic_write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a text file in UTF-8, see `atomic_write`."""
    with atomic_write(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def temporary_path(path: Path, pid: int | None = None) -> Path:
    """Where a process (by default this one) writes a file before it gets its name: beside it, hidden."""
    # Node and process are in the name because ranks of several nodes may write the same file on a shared file system.
    return path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid() if pid is None else pid}")


def sync_directory(path: Path) -> None:
    """Bring the names in a directory to disk, where the file system can do that."""
    try:
        _sync(path)
    except OSError:
        return


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
