"""Chooses between one shared file and one file per rank."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError

if TYPE_CHECKING:
    from mpi_automl.settings import Settings

VARIABLE = "MPI_AUTOML_STORE"
SHARED, PER_RANK, AUTO = "shared", "per-rank", "auto"
_WITHOUT_PARALLEL_WRITES = {"nfs", "nfs4", "cifs", "smb3", "9p"}


@dataclass(frozen=True)
class StoreOptions:
    """How files are written; what they contain does not depend on it.

    Attributes
    ----------
    layout : str
        ``shared``, ``per-rank`` or ``auto``; the environment variable ``MPI_AUTOML_STORE`` comes before ``auto``.
    flush : float
        Seconds between flushes to disk.
    alignment : tuple of int, optional
        Threshold and interval in bytes: larger datasets begin at a multiple of the interval.
    hints : mapping of str to str
        MPI-IO hints for the shared file.
    """

    layout: str = AUTO
    flush: float = 30.0
    alignment: tuple[int, int] | None = None
    hints: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> StoreOptions:
        """The options as a user set them.

        Raises
        ------
        UserError
            If a hint is not of the form name=value.
        """
        pairs = [hint.partition("=") for hint in settings.mpiio_hints]
        for name, sign, _ in pairs:
            if not (name and sign):
                raise UserError(f"--mpiio-hints has {name!r}; it must be name=value, such as striping_unit=4194304.")
        interval = int(settings.alignment * 2**20)
        alignment = (interval, interval) if interval else None
        return cls(settings.store, settings.flush, alignment, {name: value for name, _, value in pairs})


@dataclass(frozen=True)
class LayoutChoice:
    """A layout and why it was chosen, as a part of a sentence."""

    shared: bool
    reason: str


def choose(
    wanted: str, *, ranks: int, parallel_hdf5: bool, mpi_libraries: frozenset[str], file_system: str
) -> LayoutChoice:
    """Choose a layout from facts.

    Parameters
    ----------
    wanted : str
        ``shared``, ``per-rank`` or ``auto``.
    ranks : int
    parallel_hdf5 : bool
        Whether h5py was built with MPI, on every rank.
    mpi_libraries : frozenset of str
        MPI libraries in the process. Two of them mean that h5py was built against another MPI than
        mpi4py, and would hang or crash with a communicator of the other.
    file_system : str
        Type of the file system of the store.

    Raises
    ------
    UserError
        If a shared file is demanded where there can be none, or `wanted` is unknown.
    """
    if wanted not in (SHARED, PER_RANK, AUTO):
        raise UserError(f"The store's layout is {wanted!r}; it must be {SHARED}, {PER_RANK} or {AUTO}.")
    if wanted == PER_RANK:
        return LayoutChoice(shared=False, reason="as was asked for")
    obstacle = _obstacle(parallel_hdf5, mpi_libraries)
    if wanted == SHARED:
        if obstacle:
            raise UserError(
                f"A shared file was asked for, but {obstacle}; install a parallel h5py or ask for per-rank."
            )
        return LayoutChoice(shared=True, reason="as was asked for")
    if ranks == 1:
        return LayoutChoice(shared=False, reason="there is one rank")
    if not obstacle and file_system in _WITHOUT_PARALLEL_WRITES:
        obstacle = f"several writers of one file are not safe on {file_system}"
    if obstacle:
        return LayoutChoice(shared=False, reason=obstacle)
    return LayoutChoice(shared=True, reason="h5py has MPI")


def _obstacle(parallel_hdf5: bool, libraries: frozenset[str]) -> str:
    if not parallel_hdf5:
        return "h5py was built without MPI"
    if len(libraries) > 1:
        return f"h5py and mpi4py use different MPI libraries ({', '.join(sorted(libraries))})"
    return ""


def wanted_layout(options: StoreOptions) -> str:
    """The layout that was asked for, by the options or else by the environment."""
    return options.layout if options.layout != AUTO else os.environ.get(VARIABLE, AUTO)


def file_system_of(path: Path, mounts: str | None = None) -> str:
    """Type of the file system that a path is on; empty where the system does not tell.

    Parameters
    ----------
    path : Path
    mounts : str, optional
        Text in the form of ``/proc/self/mounts``, by default that file's.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    place, best, kind = path.resolve(), Path("/"), ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return kind
