"""The standard streams: whatever a terminal's encoding cannot write gets a stand-in, not a traceback."""

from __future__ import annotations

import codecs
import io
import sys
import warnings
from typing import TextIO

from mpi_automl.errors import LeftOutWarning, UnknownValuesWarning

_HANDLER = "mpi_automl.stand_in"
_STAND_INS = {"…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "±": "+-", "²": "2", "’": "'", "•": "*"}  # noqa: RUF001


def prepare_streams() -> None:
    """Make the standard streams write any text, and a warning of ours as a sentence."""
    codecs.register_error(_HANDLER, _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)
    warnings.showwarning = _show_warning


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    """Plain signs for ornaments, and Python's escapes for everything else."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if sign in _STAND_INS:
        return _STAND_INS[sign], error.start + 1
    one = UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    return codecs.backslashreplace_errors(one)


_show_any = warnings.showwarning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, UnknownValuesWarning):
        say_warning(str(message))
    elif not issubclass(category, LeftOutWarning):  # a note of the job says so
        _show_any(message, category, filename, lineno, file, line)


def say_warning(sentence: str) -> None:
    """Print a warning for people."""
    print(f"mpi-automl: warning: {sentence}", file=sys.stderr, flush=True)
