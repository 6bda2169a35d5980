"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from launching import MPIS, Launcher, require_environment
from private_slurm import PrivateSlurm, private_slurm

_ALONE = {"slurm", "evaluator"}
"""Fixtures that start processes whose pace or whose limits matter."""
_LAUNCHES = _ALONE | {"launch", "mpis", "make_run"}
"""Fixtures that run jobs or start trial servers, which takes seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they use, also through other fixtures."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if _ALONE & fixtures:
            item.add_marker(pytest.mark.alone)
        if _LAUNCHES & fixtures:
            item.add_marker(pytest.mark.launches)


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
