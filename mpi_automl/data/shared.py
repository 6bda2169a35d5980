"""Laying an object out in one file, so that every process of a node maps the same copy.

The array data of the object go into the file as they are, each at a multiple of 64 bytes; only the
small rest is pickled (protocol 5 with out-of-band buffers, PEP 574). Reading is a memory map: the
arrays point into it, are read-only, and their pages are shared by all processes that map the file.

The files are pickles: they are private to a job, made with mode 0600, and never read from elsewhere.
"""

from __future__ import annotations

import mmap
import os
import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_MAGIC = b"mpiautml"
_ALIGNMENT = 64
_PREFIX = struct.Struct("<8sQQ")
_ENTRY = struct.Struct("<QQ")


def pack(obj: Any) -> tuple[bytes, list[memoryview]]:
    """Split an object into a small pickle and its large buffers, without copying the latter.

    Arrays that are not contiguous are copied into the pickle itself, so hand over contiguous ones.

    Returns
    -------
    header : bytes
    buffers : list of memoryview of bytes
    """
    buffers: list[pickle.PickleBuffer] = []
    header = pickle.dumps(obj, protocol=5, buffer_callback=buffers.append)
    return header, [buffer.raw() for buffer in buffers]


def packed_size(header: bytes, buffers: Sequence[memoryview]) -> int:
    """Bytes that `write_packed` will need."""
    return _layout(header, buffers)[1]


def write_packed(path: str | Path, header: bytes, buffers: Sequence[memoryview]) -> None:
    """Write what `pack` gave into a new file, readable by its owner only.

    Raises
    ------
    FileExistsError
        Nothing is ever overwritten.
    OSError
        In particular when the disk or the shared memory is full; the file is removed again.
    """
    offsets, total = _layout(header, buffers)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _reserve(file.fileno(), total)
            file.write(_PREFIX.pack(_MAGIC, len(header), len(buffers)))
            for offset, buffer in zip(offsets, buffers, strict=True):
                file.write(_ENTRY.pack(offset, buffer.nbytes))
            file.write(header)
            for offset, buffer in zip(offsets, buffers, strict=True):
                file.seek(offset)
                file.write(buffer)
            file.truncate(total)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def map_packed(path: str | Path) -> Any:
    """Map a file that `write_packed` made and rebuild the object on it, read-only and without copying.

    The map lives as long as any array of the object; the file may be removed meanwhile.

    Raises
    ------
    ValueError
        If the file is not one of `write_packed`, or was cut off.
    """
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _PREFIX.size:
            raise ValueError(f"{path} is not a packed object")
        view = memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
    magic, header_length, count = _PREFIX.unpack_from(view)
    table_end = _PREFIX.size + count * _ENTRY.size
    if magic != _MAGIC or table_end + header_length > size:
        raise ValueError(f"{path} is not a packed object")
    entries = [_ENTRY.unpack_from(view, _PREFIX.size + i * _ENTRY.size) for i in range(count)]
    if any(offset + nbytes > size for offset, nbytes in entries):
        raise ValueError(f"{path} was cut off")
    header = view[table_end : table_end + header_length]
    return pickle.loads(header, buffers=[view[offset : offset + nbytes] for offset, nbytes in entries])


def _layout(header: bytes, buffers: Sequence[memoryview]) -> tuple[list[int], int]:
    position = _PREFIX.size + len(buffers) * _ENTRY.size + len(header)
    offsets = []
    for buffer in buffers:
        position = -(-position // _ALIGNMENT) * _ALIGNMENT
        offsets.append(position)
        position += buffer.nbytes
    return offsets, position


def _reserve(descriptor: int, nbytes: int) -> None:
    # On a full tmpfs a plain write through the page cache may succeed and the map end in SIGBUS later;
    # asking for the space first turns that into an OSError here.
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, nbytes)
