"""The command ``mpi-automl``: finds the verb and turns the user's mistakes into one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from mpi_automl import __version__
from mpi_automl.cli.options import Parser
from mpi_automl.errors import UserError
from mpi_automl.parallel.launcher import detect_launch

VERBS = {
    "example": "run a built-in example: breast cancer data, 60 seconds (also without any verb)",
    "fit": "search for the best ensemble for a table",
    "predict": "predict the rows of a table with a run's ensemble",
    "show": "what a run found: ensemble, scores, trials",
    "leaderboard": "all trials of a run, failures included",
    "ensemble": "build another ensemble from the trials of a run",
    "refit": "fit the members of a run's ensemble anew on all rows",
    "importance": "which hyperparameters and columns matter",
    "export": "write a model as a scikit-learn object, or the run history in SMAC's files",
    "space": "print what would be searched for a table",
    "check": "verify every checksum of a run's store",
    "doctor": "check launcher, MPI, HDF5, cores and file system, and say what to do",
    "fetch": "download data sets of OpenML into the cache that fit reads",
}
"""Each verb has its module `mpi_automl.cli.<verb>` with `add_arguments(parser)` and `run(arguments)`."""


def entry(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status.

    The status is 0 after success, 2 after a mistake of the user's, which is told in one sentence by
    one rank.
    """
    launch = detect_launch()
    if not launch.is_parallel:
        # A parallel h5py imports mpi4py, which would initialise MPI: that fails on many login nodes.
        os.environ.setdefault("MPI4PY_RC_INITIALIZE", "0")
    try:
        status = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
    except UserError as error:
        if launch.speaks:
            print(f"mpi-automl: {error}", file=sys.stderr, flush=True)
        status = 2
    except BrokenPipeError:
        # The reader of our output, such as head, has gone; nothing is wrong with the work.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


def _dispatch(arguments: list[str]) -> int:
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["example", *arguments]
    parser = Parser(prog="mpi-automl", description="Automated machine learning for tables over MPI.")
    parser.add_argument("--version", action="version", version=f"mpi_automl {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    chosen = arguments[0] if arguments[0] in VERBS else None
    for name, summary in VERBS.items():
        verb = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        # Only the chosen verb's module is imported: help must not wait for the others.
        if name == chosen:
            import_module(f"mpi_automl.cli.{name}").add_arguments(verb)
    parsed = parser.parse_args(arguments)
    status: int = import_module(f"mpi_automl.cli.{parsed.verb}").run(parsed)
    return status
