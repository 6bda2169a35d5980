"""What scripts print for ``--help``, asked in one process: each start of Python would import the same modules again.

    python script_help.py SCRIPT [VERB] -- SCRIPT [VERB] -- ...

Prints a JSON list of ``[exit status, text]``. Each script runs in a child of its own, so that none sees another's work.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn


def helps_of(commands: Sequence[tuple[str, ...]], cwd: Path) -> dict[tuple[str, ...], tuple[int, str]]:
    """The exit status and the output of each command with ``--help``."""
    words = [word for command in commands for word in (*command, "--")]
    program = [sys.executable, __file__, *words]
    done = subprocess.run(program, cwd=cwd, capture_output=True, text=True, timeout=250, check=True)
    return {command: (status, text) for command, (status, text) in zip(commands, json.loads(done.stdout), strict=True)}


def _ask(words: list[str]) -> tuple[int, str]:
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if not child:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            _become(words)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read()


def _become(words: list[str]) -> NoReturn:
    """Run a script as the interpreter would."""
    script, status = Path(words[0]), 1
    sys.argv = [*words, "--help"]
    # A directory is run by its __main__ and is itself where modules are looked for.
    sys.path[0] = str(script if script.is_dir() else script.parent)
    try:
        runpy.run_path(str(script), run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # the text shows it, and the status says so
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    # What most scripts import; not MPI, which does not outlive a fork.
    import pandas  # noqa: F401
    import sklearn.ensemble  # noqa: F401

    import mpi_automl.estimators  # noqa: F401

    commands: list[list[str]] = [[]]
    for word in sys.argv[1:]:
        if word == "--":
            commands.append([])
        else:
            commands[-1].append(word)
    print(json.dumps([_ask(command) for command in commands if command]))


if __name__ == "__main__":
    main()
