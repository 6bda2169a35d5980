"""Checks of the installation and of the start under a launcher."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from mpi_automl.doctor.result import OK, CheckResult
from mpi_automl.machine.launcher import Launch
from mpi_automl.parallel.world import World

_PACKAGES = ("mpi_automl", "numpy", "scikit-learn", "ConfigSpace", "smac", "mpi4py", "h5py", "pandas", "skops")


def check_versions() -> CheckResult:
    """Versions of Python and of the packages that matter."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} (not installed as a package)")
    return CheckResult(OK, "versions", f"Python {platform.python_version()}, {', '.join(found)}")


def check_launch(world: World, launch: Launch) -> CheckResult:
    """How many ranks were started, where, and by which launcher."""
    if not launch.is_parallel:
        return CheckResult(
            OK, "launch", "started without a launcher: one rank, no MPI; for more, mpirun -n 4 mpi-automl doctor"
        )
    place = f"{world.size} ranks on {world.node_count} nodes by {launch.launcher}, {world.library}"
    return CheckResult(OK, "launch", place)
