"""A running trial server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from processes import new_mark

from mpi_automl.evaluation.evaluator import Evaluator, Refit
from mpi_automl.trial import Result


@pytest.fixture(scope="module")
def mark() -> str:
    """In the environment of the module's evaluator and all it starts."""
    return new_mark()


@pytest.fixture(scope="module")
def evaluator(mark: str) -> Iterator[Evaluator]:
    with Evaluator.start() as started:
        yield started


@pytest.fixture(scope="session")
def one():
    """Waits for one result of an evaluator."""

    def wait(evaluator: Evaluator) -> Result | Refit:
        while not (results := evaluator.poll(1.0)):
            continue
        (result,) = results
        return result

    return wait
