"""Files that are held by whoever loaded a model, so that it predicts whatever becomes of their names.

Copies of a model share what is held. A pickle contains it.
"""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

IN_MEMORY = 64 * 2**20
"""Bytes of a model's files up to which they are held in memory: every rank of a node holds a model of its own."""


class HeldFile:
    """The content of a file: in memory, or in a file that is held open, which its file system keeps without a name.

    Parameters
    ----------
    content : bytes or int
        The content, or the descriptor of the open file, which is closed with this object.
    """

    def __init__(self, content: bytes | int) -> None:
        self._content = content
        if isinstance(content, int):
            weakref.finalize(self, os.close, content)

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._content).st_size if isinstance(self._content, int) else len(self._content)

    def open(self) -> BinaryIO:
        """A stream from the first byte on; each has a position of its own, for threads and forked processes."""
        if isinstance(self._content, int):
            return io.BufferedReader(_Stream(self._content, self))
        return io.BytesIO(self._content)

    def read(self) -> bytes:
        """The content."""
        with self.open() as stream:
            return stream.read()


class _Stream(io.RawIOBase):
    """Reads a descriptor without its position, which others share, and keeps its owner from closing it."""

    def __init__(self, descriptor: int, owner: HeldFile) -> None:
        self._descriptor, self._owner = descriptor, owner
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._descriptor).st_size}
        self._position = max(0, starts[whence] + offset)
        return self._position


def hold_files(paths: Iterable[Path]) -> dict[str, HeldFile]:
    """Hold files by their names; those that are missing are left out.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for path in paths:
            with suppress(FileNotFoundError):
                files[path.name] = stack.enter_context(path.open("rb"))
        if sum(os.fstat(file.fileno()).st_size for file in files.values()) > IN_MEMORY:
            return {name: HeldFile(os.dup(file.fileno())) for name, file in files.items()}
        return {name: HeldFile(file.read()) for name, file in files.items()}


def hold_contents(contents: Mapping[str, bytes]) -> dict[str, HeldFile]:
    """Hold what a pickle contained."""
    is_small = sum(map(len, contents.values())) <= IN_MEMORY
    return {name: HeldFile(content if is_small else _on_disk(content)) for name, content in contents.items()}


def _on_disk(content: bytes) -> bytes | int:
    """The descriptor of a file without a name; where there is no room for it, the content itself."""
    with suppress(OSError), tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return os.dup(file.fileno())
    return content
