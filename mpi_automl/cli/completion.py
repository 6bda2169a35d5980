"""``mpi-automl completion``: a script for the shell, made by shtab from the parsers of all verbs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.settings import OPTIONS

SHELLS = ("bash", "zsh", "tcsh")
_FILES = ("TABLE", "FILE", "SOURCE")
_DIRECTORIES = ("RUN", "DIR")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    parser.epilog = 'Example: eval "$(mpi-automl completion bash)", once or in ~/.bashrc'


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    try:
        import shtab
    except ImportError:
        raise UserError("Completion needs the package shtab: pip install shtab.") from None
    from mpi_automl.cli.main import VERBS, make_parser

    parser, verbs = make_parser(VERBS)
    for verb in verbs.values():
        _say_what_is_meant(verb._actions)
    print(shtab.complete(parser, shell=arguments.shell))
    return 0


def _say_what_is_meant(actions: Iterable[Any]) -> None:
    """Tell shtab which arguments are files, and which values an option can have."""
    import shtab

    choices = {name: option.choices for name, option in OPTIONS.items() if option.choices}
    for action in actions:
        if action.choices is None and action.dest in choices and action.option_strings:
            action.choices = choices[action.dest]
        elif action.metavar in _FILES:
            action.complete = shtab.FILE
        elif action.metavar in _DIRECTORIES:
            action.complete = shtab.DIRECTORY
