"""Brings a rank's writes to disk at intervals, without holding the rank up."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

_to_disk = getattr(os, "fdatasync", os.fsync)


class Flusher:
    """Asks the operating system to put what was written to a file on disk.

    A flush through HDF5 would be collective in a shared file; this one concerns the rank's node only.
    It runs in a thread, because a busy file system can take seconds for it.

    Parameters
    ----------
    interval : float
        Seconds between flushes: what a power failure can take at most, once the flush itself is done.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._last = time.monotonic()
        self._descriptors: list[int] = []
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def add(self, path: Path) -> None:
        """Take a further file in."""
        self._descriptors.append(os.open(path, os.O_RDWR))

    def flush_if_due(self) -> None:
        """Start a flush when the interval is over and the one before has ended.

        Raises
        ------
        OSError
            When an earlier flush failed.
        """
        self._raise()
        running = self._thread is not None and self._thread.is_alive()
        if not running and time.monotonic() - self._last >= self._interval:
            self._last = time.monotonic()
            self._thread = threading.Thread(target=self._flush, name="store-flush", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Flush a last time and let the files go."""
        if self._thread is not None:
            self._thread.join()
        self._flush()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        self._raise()

    def _flush(self) -> None:
        try:
            for descriptor in tuple(self._descriptors):
                _to_disk(descriptor)
        except OSError as error:
            self._error = error

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
