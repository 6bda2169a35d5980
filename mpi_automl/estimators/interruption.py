"""What a signal asked for is done once the result of the search is saved: a fit delays it, and does not swallow it."""

from __future__ import annotations

import atexit
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from mpi_automl.job.signals import BY_BATCH_SYSTEMS, TO_BE_RESUMED
from mpi_automl.machine.launcher import detect_launch


@dataclass(frozen=True)
class Interruption:
    """A signal that came while a job ran.

    Attributes
    ----------
    number : signal.Signals
    found : str
        What became of the result, in one sentence.
    directory : Path or None
        The run to resume; None if there is nothing to resume.
    speaks : bool
        Whether this rank tells it.
    """

    number: signal.Signals
    found: str
    directory: Path | None = None
    speaks: bool = True

    def text(self, *, is_temporary: bool) -> str:
        """What happened and what to do, for a person."""
        what = f"Interrupted by {self.number.name}: {self.found}"
        if self.directory is None:
            return what
        if is_temporary:
            return f"{what} Give out to be able to resume."
        return f"{what} Resume with resume={str(self.directory)!r}."

    def deliver(self, *, is_temporary: bool) -> None:
        """Do what the signal would have done.

        A handler of the program is called, and the fit returns if it does. So it does after a signal by which batch
        systems ask to save the result, and after one that the program ignores.

        Parameters
        ----------
        is_temporary : bool
            The run directory goes with the estimator.

        Raises
        ------
        KeyboardInterrupt
            After SIGINT.
        SystemExit
            After SIGTERM, and under a launcher also after SIGINT, with the status of a job that can be resumed.
        """
        handler = signal.getsignal(self.number)
        if callable(handler) and handler is not signal.default_int_handler:
            handler(self.number, None)
            return
        if handler == signal.SIG_IGN or self.number in BY_BATCH_SYSTEMS:
            return
        text, is_rank = self.text(is_temporary=is_temporary), detect_launch().is_parallel
        if self.number is signal.SIGINT and not is_rank:
            raise KeyboardInterrupt(text)
        if self.speaks:
            print(text, file=sys.stderr, flush=True)  # noqa: T201  # a SystemExit with a status has no text
        if is_rank:
            # A launcher ends the ranks that leave last, and they must still leave with this status.
            atexit.register(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(TO_BE_RESUMED)
