"""Verbs of the command run in the test's own process, which spares a start of Python."""

from __future__ import annotations

import contextlib
import os
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from mpi_automl.cli.main import entry


def run_verb(*words: object, cwd: Path | None = None) -> CompletedProcess[str]:
    """The exit status and the streams of a command that starts no job.

    Parameters
    ----------
    *words
    cwd : Path, optional
        Working directory meanwhile.
    """
    arguments, out, err, before = [str(word) for word in words], StringIO(), StringIO(), Path.cwd()
    os.chdir(cwd or before)
    try:
        # The verbs prepare the environment for themselves; what is started later must not inherit that.
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), patch.dict(os.environ):
            entry(arguments)
    except SystemExit as end:
        return CompletedProcess(arguments, int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        os.chdir(before)
    raise AssertionError(f"{arguments[0]} did not end")
