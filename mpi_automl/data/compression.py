"""Opening files that may be compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
# Windows' code page has Latin-1's letters, and a euro sign and quotation marks in the place of control characters.
NOT_UNICODE = ("cp1252", "latin-1")
"""Encodings of what is not Unicode, in the order in which they are tried; the last one can read anything."""


def split_compression(name: str) -> tuple[str, str]:
    """A file name without its compression suffix, and that suffix (empty if there is none)."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, decompressed according to its name (.gz, .bz2, .xz, .zst)."""
    suffix = split_compression(path.name)[1]
    if suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if suffix == ".bz2":
        return bz2.open(path, "rb")
    if suffix == ".xz":
        return lzma.open(path, "rb")
    if suffix == ".zst":
        import pyarrow

        return cast("IO[bytes]", pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd"))
    return path.open("rb")


def read_text(path: Path) -> str:
    """The whole decompressed file as text: UTF-8, UTF-16 with a byte order mark, Windows-1252, or else Latin-1."""
    with open_binary(path) as file:
        raw = file.read()
    return raw.decode(encoding_of(raw))


def encoding_of(raw: bytes) -> str:
    """Encoding in which these bytes can be read."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", *NOT_UNICODE[:-1]):
        with suppress(UnicodeDecodeError):
            raw.decode(encoding)
            return encoding
    return NOT_UNICODE[-1]


def in_memory(path: Path) -> io.BytesIO:
    """The whole decompressed file, for readers that need to seek."""
    with open_binary(path) as file:
        return io.BytesIO(file.read())
