"""The way to h5py: file locking is settled before the library starts, and access properties are set here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

LOCKING_VARIABLE = "HDF5_USE_FILE_LOCKING"
USER_LOCKING = os.environ.get(LOCKING_VARIABLE)
"""The user's own choice, which wins; None without one."""

# Locks are not needed (one writer per slab, and the run directory has a lock of its own), they fail
# on NFS and on Lustre without flock, and they would keep readers out of a file that is being written.
# HDF5 reads the variable when it is loaded.
os.environ.setdefault(LOCKING_VARIABLE, "FALSE")

import h5py  # noqa: E402  # only after the variable is set

__all__ = ["RowWriter", "access", "contiguous", "h5py", "is_parallel", "loaded_mpi_libraries", "mpi_libraries"]

_MPI_LIBRARY = re.compile(r"/libmpi(?:ch|_cray|_abi|_mt)?(?:-[0-9a-f]+)?\.(?:so|dylib)[.\d]*$")


def is_parallel() -> bool:
    """Whether h5py was built with MPI."""
    return bool(h5py.get_config().mpi)


def mpi_libraries(maps: Iterable[str]) -> frozenset[str]:
    """MPI libraries that a process has loaded.

    Parameters
    ----------
    maps : iterable of str
        Lines of ``/proc/self/maps``.

    Returns
    -------
    frozenset of str
        Paths with links resolved. More than one means that h5py was linked to another MPI than
        mpi4py: a communicator of one means nothing to the other, and opening a file would hang or crash.
    """
    paths = {line[line.index("/") :].strip() for line in maps if "/" in line}
    return frozenset(str(Path(path).resolve()) for path in paths if _MPI_LIBRARY.search(path))


def loaded_mpi_libraries() -> frozenset[str]:
    """MPI libraries that this process has loaded; empty where ``/proc`` does not tell."""
    try:
        with Path("/proc/self/maps").open(encoding="utf-8", errors="replace") as maps:
            return mpi_libraries(maps)
    except OSError:
        return frozenset()


def access(comm: Any = None, hints: Mapping[str, str] | None = None, alignment: tuple[int, int] | None = None) -> Any:
    """File access properties of a writer.

    Parameters
    ----------
    comm : mpi4py communicator, optional
        Opens the file through MPI-IO, collectively.
    hints : mapping of str to str, optional
        MPI-IO hints such as ``striping_unit``.
    alignment : tuple of int, optional
        Threshold and interval in bytes: objects of at least the threshold start at multiples of the interval.
    """
    properties = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    # A buffer in the process would be lost with it; every write goes to the operating system at once.
    properties.set_sieve_buf_size(0)
    if alignment is not None:
        properties.set_alignment(*alignment)
    if USER_LOCKING is None and hasattr(properties, "set_file_locking"):
        properties.set_file_locking(False, True)
    if comm is not None:
        info = comm.Get_info()
        for name, value in (hints or {}).items():
            info.Set(name, value)
        properties.set_fapl_mpio(comm, info)
        info.Free()
    return properties


def contiguous(file: Any, name: str, shape: tuple[int, ...], dtype: Any) -> None:
    """Create a dataset whose whole room is set aside at once and filled with nothing.

    Such a dataset needs no further metadata, so its parts can be written independently, and what is
    never written takes no space on file systems with sparse files. Collective on a file opened with MPI-IO.
    """
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.CONTIGUOUS)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    kind = h5py.h5t.py_create(dtype, logical=True)
    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    h5py.h5d.create(file.id, name.encode(), kind, space, properties)


class RowWriter:
    """Writes one row after the other into a dataset, several times faster than h5py's indexing.

    A row is what two indices name: rank and trial, or rank and slot.

    Parameters
    ----------
    dataset : h5py.Dataset
    """

    def __init__(self, dataset: Any) -> None:
        inner = dataset.shape[2:]
        self._shape = inner
        self._identifier = dataset.id
        self._space = dataset.id.get_space()
        self._type = h5py.h5t.py_create(dataset.dtype, logical=True)
        self._memory = h5py.h5s.create_simple(inner or (1,))
        self._count = (1, 1, *inner)
        self._inner = (0,) * len(inner)

    def write(self, row: int, index: int, values: Any) -> None:
        """Write a C-contiguous array of the dataset's type; its shape is the dataset's without the first two axes.

        Raises
        ------
        ValueError
            If the shape is another.
        """
        if values.shape != self._shape:
            raise ValueError(f"a row has shape {values.shape} and needs {self._shape}")
        self._space.select_hyperslab((row, index, *self._inner), self._count)
        self._identifier.write(self._memory, self._space, values, self._type)
