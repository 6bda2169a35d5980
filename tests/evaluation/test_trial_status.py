"""What an exception, an exit and a time or memory limit become."""

from __future__ import annotations

import signal

import pytest

from mpi_automl.evaluation.trial_status import (
    TimeLimitError,
    status_of_exception,
    status_of_exit,
    status_of_memory,
    status_of_timeout,
)
from mpi_automl.space.predictions import UnusablePredictionsError
from mpi_automl.trial import Status


def test_timeout_with_predictions_is_a_success() -> None:
    assert status_of_timeout(has_predictions=True)[0] is Status.SUCCESS
    assert status_of_timeout(has_predictions=False) == (Status.TIMEOUT, "time limit reached")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (TimeLimitError(), Status.TIMEOUT, "time limit reached"),
        (MemoryError(), Status.MEMOUT, "MemoryError"),
        (ValueError("two\n lines"), Status.CRASHED, "ValueError: two lines"),
        (UnusablePredictionsError("predictions contain NaN"), Status.CRASHED, "predictions contain NaN"),
        (KeyError("x" * 500), Status.CRASHED, f"KeyError: '{'x' * 189}"),
    ],
)
def test_exceptions(error: BaseException, status: Status, reason: str) -> None:
    assert status_of_exception(error) == (status, reason)


@pytest.mark.parametrize(
    ("wait_status", "tail", "oom_killed", "status"),
    [
        (signal.SIGSEGV, b"", False, Status.CRASHED),
        (signal.SIGKILL, b"", False, Status.CRASHED),
        (signal.SIGKILL, b"", True, Status.MEMOUT),
        (signal.SIGABRT, b"std::bad_alloc", False, Status.MEMOUT),
        (3 << 8, b"", True, Status.CRASHED),
    ],
)
def test_exits(wait_status: int, tail: bytes, oom_killed: bool, status: Status) -> None:
    assert status_of_exit(wait_status, tail, oom_killed=oom_killed)[0] is status


def test_memory_limit_names_the_number_of_processes() -> None:
    assert status_of_memory(3117.0, 3072.0, 1) == (Status.MEMOUT, "3117 MiB, more than the 3072 MiB allowed")
    assert "in 2 processes" in status_of_memory(200.0, 100.0, 2)[1]
