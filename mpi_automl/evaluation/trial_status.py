"""How a trial ended: which status and reason a time limit, a memory limit, an exception or an exit becomes.

The child asks for its exceptions, the trial server for everything that it sees from outside. A trial
that the end of the search cut off becomes stopped in `mpi_automl.job.running_trials`.
"""

from __future__ import annotations

import os
import signal

from mpi_automl.space.predictions import UnusablePredictionsError
from mpi_automl.trial import Status

Ending = tuple[Status, str]
"""Status and reason."""

LONGEST_REASON = 200
"""Characters of a reason that the store keeps."""
JOB_ENDED: Ending = Status.STOPPED, "the job ended"


class TimeLimitError(BaseException):
    """The time limit, raised within the child; not an `Exception`, so that learners let it pass."""


def status_of_timeout(*, has_predictions: bool) -> Ending:
    """At the time limit: success if a stage of staged fitting has left predictions, otherwise a timeout."""
    if has_predictions:
        return Status.SUCCESS, "time limit: predictions of the last finished step"
    return Status.TIMEOUT, "time limit reached"


def status_of_memory(used: float, limit: float, n_processes: int) -> Ending:
    """Above the memory limit, both in MiB."""
    processes = f" in {n_processes} processes" if n_processes > 1 else ""
    return Status.MEMOUT, f"{used:.0f} MiB{processes}, more than the {limit:.0f} MiB allowed"


def status_of_exception(error: BaseException) -> Ending:
    """For what a pipeline raised."""
    if isinstance(error, TimeLimitError):
        return (Status.TIMEOUT, str(error)) if error.args else status_of_timeout(has_predictions=False)
    if isinstance(error, MemoryError):
        return Status.MEMOUT, f"MemoryError: {error}"[:LONGEST_REASON].rstrip(": ")
    text = str(error) if isinstance(error, UnusablePredictionsError) else f"{type(error).__name__}: {error}"
    return Status.CRASHED, " ".join(text.split())[:LONGEST_REASON].rstrip(": ")


def status_of_exit(wait_status: int, output_tail: bytes, *, oom_killed: bool) -> Ending:
    """For a child that ended without a report.

    Parameters
    ----------
    wait_status : int
        From `os.waitpid`.
    output_tail : bytes
        The last that it printed.
    oom_killed : bool
        Whether the kernel's out-of-memory killer has struck on the node meanwhile.
    """
    if b"bad_alloc" in output_tail or b"Cannot allocate memory" in output_tail:
        return Status.MEMOUT, "out of memory in native code"
    if not os.WIFSIGNALED(wait_status):
        return Status.CRASHED, f"the process ended itself with exit status {os.WEXITSTATUS(wait_status)}"
    number = os.WTERMSIG(wait_status)
    if number == signal.SIGKILL and oom_killed:
        return Status.MEMOUT, "killed by the kernel: the node ran out of memory"
    return Status.CRASHED, f"ended by signal {signal.Signals(number).name}"
