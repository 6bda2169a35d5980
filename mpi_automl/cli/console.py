"""Where output goes: to a person's terminal, or to a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

_LOG_WIDTH = 120


def make_console(*, quiet: bool = False) -> Console:
    """A console for the standard output: as wide as the terminal and in colours, or plain for a log file."""
    is_live = writes_to_terminal()
    return Console(quiet=quiet, highlight=False, width=None if is_live else _LOG_WIDTH, force_terminal=is_live)


def writes_to_terminal() -> bool:
    """Whether a person sees the standard output at once.

    Open MPI gives its ranks a pseudo-terminal even when its own output goes to a file, so under a
    launcher its output decides.
    """
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    if "OMPI_COMM_WORLD_RANK" not in os.environ and "PMIX_RANK" not in os.environ:
        return True
    try:
        return str(Path(f"/proc/{os.getppid()}/fd/1").readlink()).startswith("/dev/pts/")
    except OSError:
        return False


def shown_value(value: float) -> str:
    """The value of a metric with four decimals, or with four digits where these would say nothing or too much."""
    return f"{value:.4f}" if value == 0.0 or 1e-3 <= abs(value) < 1e7 else f"{value:.4g}"
