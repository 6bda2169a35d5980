"""Checks of HDF5 and of the directory for runs."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mpi_automl.doctor.result import OK, WARNING, WRONG, CheckResult
from mpi_automl.doctor.store_check import StoreTrial
from mpi_automl.storage.choice import file_system_of
from mpi_automl.storage.hdf5 import LOCKING_VARIABLE


def check_hdf5(libraries: Iterable[frozenset[str]], *, is_parallel: bool) -> CheckResult:
    """The build of h5py, from the MPI libraries in each rank's process."""
    loaded = frozenset().union(*libraries)
    if len(loaded) > 1:
        text = f"h5py and mpi4py use different MPI libraries ({', '.join(sorted(loaded))})"
        return CheckResult(
            WARNING, "HDF5", f"{text}: rebuild h5py against the MPI of mpi4py; until then one file per rank is written"
        )
    if not is_parallel:
        return CheckResult(
            OK, "HDF5", "h5py has no MPI, so each rank writes a file of its own; a parallel h5py gives one file"
        )
    return CheckResult(OK, "HDF5", "h5py has MPI: all ranks write one file")


def check_store(stored: StoreTrial) -> CheckResult:
    """What was written by all ranks must have been read."""
    if stored.problem:
        return CheckResult(WRONG, "store", f"{stored.problem}: try --store per-rank, or another directory")
    return CheckResult(
        OK, "store", f"all ranks' records were written and read in {stored.seconds:.1f} s: {stored.layout}"
    )


def check_locking(directory: Path) -> CheckResult:
    """The directory must be writable, and HDF5 wants its file locks."""
    kind = file_system_of(directory)
    variable = os.environ.get(LOCKING_VARIABLE)
    chosen = f", {LOCKING_VARIABLE}={variable}" if variable else ""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except PermissionError:
        return CheckResult(WRONG, "files", f"{directory.resolve()} cannot be written; go to a directory of yours")
    except OSError as error:
        remedy = f"export {LOCKING_VARIABLE}=FALSE if HDF5 complains of locks"
        return CheckResult(
            WARNING, "files", f"{directory.resolve()} ({kind}) has no file locks ({error.strerror}){chosen}: {remedy}"
        )
    return CheckResult(OK, "files", f"{directory.resolve()} is on {kind} and has file locks{chosen}")
