"""Where Python looks for modules: the standard library first and the working directory last.

A file ``random.py`` beside a table must not take the place of the standard library's, neither here nor in the processes
that are started. Plugins and metrics in the working directory are found all the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_STANDARD = os.path.dirname(os.__file__)  # noqa: PTH120  # pathlib's own imports may be shadowed here
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def import_path(entries: Sequence[str], directory: str) -> list[str]:
    """Entries of a module search path in the order that nothing shadows.

    Parameters
    ----------
    entries : sequence of str
        Such as ``sys.path``.
    directory : str
        The working directory. It stays where it is if this package was imported from there.
    """
    absolute = list(dict.fromkeys(os.path.abspath(os.path.join(directory, entry)) for entry in entries))  # noqa: PTH100, PTH118
    here = os.path.realpath(directory)
    ranks = {entry: _place(entry, here) for entry in absolute}
    return sorted(absolute, key=ranks.__getitem__)


def _place(entry: str, here: str) -> int:
    if entry in (_STANDARD, os.path.join(_STANDARD, "lib-dynload")):  # noqa: PTH118
        return 0
    return 2 if os.path.realpath(entry) == here != os.path.realpath(_PACKAGES) else 1


def protect_imports() -> None:
    """Put the module search path of this process in that order."""
    sys.path[:] = import_path(sys.path, os.getcwd())  # noqa: PTH109


def python_command(module: str, *arguments: str) -> list[str]:
    """The command of another Python that calls ``main(arguments)`` of a module; its environment needs `python_path`.

    Python puts the working directory before all else, for ``-m`` and ``-c`` alike; it is taken out again.
    """
    program = (
        f"import sys; sys.path[:1] == [''] and sys.path.pop(0); from {module} import main; sys.exit(main(sys.argv[1:]))"
    )
    return [sys.executable, "-c", program, *arguments]


def python_path() -> str:
    """``PYTHONPATH`` with which another Python finds the modules that this one does."""
    return os.pathsep.join(import_path(sys.path, os.getcwd()))  # noqa: PTH109
