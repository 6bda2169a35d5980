"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from launching import MPIS, Launcher, require_environment
from private_slurm import PrivateSlurm, private_slurm

_ALONE = {"slurm", "evaluator"}
"""Fixtures that start processes whose pace or whose limits matter."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that want the machine for themselves."""
    for item in items:
        if _ALONE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session")
def launch() -> Launcher:
    """``launch(ranks, *command, mpi=..., env=..., timeout=..., cwd=...)`` runs a command under a real mpirun."""
    return Launcher()


@pytest.fixture(params=MPIS)
def mpis(request: pytest.FixtureRequest) -> str:
    """Each installed MPI in turn, to be handed to `launch`."""
    require_environment(request.param)
    return str(request.param)


@pytest.fixture(scope="session")
def slurm() -> Iterator[PrivateSlurm]:
    """Start a private Slurm with two nodes of four CPUs: ``slurm.submit(script)``, ``slurm.wait(job)``."""
    with private_slurm() as running:
        yield running
