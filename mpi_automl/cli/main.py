"""The command ``mpi-automl``: finds the verb and turns the user's mistakes into one sentence."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from mpi_automl.cli.options import Parser, unknown_arguments
from mpi_automl.cli.streams import prepare_streams
from mpi_automl.errors import JobError, UserError
from mpi_automl.machine.import_path import protect_imports
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.machine.open_files import sentence_of
from mpi_automl.version import __version__

DESCRIPTION = "Automated machine learning for tables, on every core that MPI gives it."
VERBS = {
    "example": "run a built-in example: breast cancer data, 60 seconds",
    "fit": "search for the best ensemble for a table",
    "predict": "predict the rows of a table with a run's ensemble",
    "evaluate": "score a run's ensemble on a labelled table: all metrics with intervals, classes, groups, baseline",
    "show": "what a run found: ensemble, scores, trials",
    "watch": "see a job go, from another terminal or a login node",
    "report": "write a page with everything that a run found, and its plots",
    "leaderboard": "all trials of a run, failures included",
    "ensemble": "build another ensemble from the trials of a run",
    "refit": "refit the members of a run's ensemble on all rows",
    "importance": "which hyperparameters and columns matter",
    "export": "write a model as a scikit-learn object, or the run history in SMAC's files",
    "space": "print what would be searched for a table",
    "verify": "verify every checksum of a run's store",
    "doctor": "check launcher, MPI, HDF5, cores and file system, and say what to do",
    "study": "benchmark studies: many runs planned from one file, executed, collected and compared",
    "fetch": "download data sets of OpenML into the cache that fit reads",
    "completion": "print a script with which a shell completes verbs and options",
}
"""Each verb has its module `mpi_automl.cli.<verb>` with `add_arguments(parser)` and `run(arguments)`."""

_SHORT_HELP = f"""{DESCRIPTION}

Three commands to try:

  mpirun -n 4 mpi-automl example --out runs/first
      a minute on real data, from the search to a saved ensemble (without mpirun: on one core)
  mpi-automl show runs/first
      what it found
  mpirun -n 4 mpi-automl fit train.csv --target price --time 10m --out runs/price
      the same for a table of yours

mpi-automl --help lists all verbs, mpi-automl doctor checks this machine."""


_FOR_RANK_0 = 3.0
"""Seconds that another rank gives rank 0 to say what is wrong for all."""


def entry(arguments: Sequence[str] | None = None, *, default: Sequence[str] = ()) -> None:
    """Run the command and leave with its exit status.

    The status is 0 after success, 2 after a mistake of the user's, which one rank reports in one sentence.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those that the process was started with.
    default : sequence of str
        In the place of no arguments; without it, a person who gives none gets a short help.
    """
    protect_imports()
    prepare_streams()
    launch = detect_launch()
    if not launch.is_parallel:
        # A parallel h5py imports mpi4py, which would initialise MPI: that fails on many login nodes.
        os.environ.setdefault("MPI4PY_RC_INITIALIZE", "0")
    try:
        status = _dispatch(list(sys.argv[1:] if arguments is None else arguments) or list(default))
    except UserError as error:
        if not launch.speaks and not error.agreed:
            # Rank 0 says the same meanwhile, and the launcher ends this process; else nobody but this rank has met it.
            time.sleep(_FOR_RANK_0)
            error = UserError(f"rank {launch.rank}: {error}")
        if launch.speaks or not error.agreed:
            print(f"mpi-automl: {error}", file=sys.stderr, flush=True)
        status = error.status
    except JobError as error:  # of a job of one rank: there is no other to end
        print(f"mpi-automl: {error}", file=sys.stderr, flush=True)
        status = 1
    except BrokenPipeError:
        # The reader of our output, such as head, has gone; nothing is wrong with the work.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        told = sentence_of(error)
        if told is None:
            raise
        print(f"mpi-automl: {told}", file=sys.stderr, flush=True)
        status = 1
    if status and launch.is_parallel:
        # Launchers end all ranks once one has left with such a status (srun: --kill-on-bad-exit); those that are a
        # little later, with all their work done, must still leave with theirs, by which scripts decide what is next.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(status)


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        if detect_launch().speaks:
            print(_SHORT_HELP)
        return 0
    if arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version"):
        arguments = ["example", *arguments]
    if arguments[0] not in VERBS and not arguments[0].startswith("-"):
        raise UserError(_unknown_verb(arguments[0]))
    parser, verbs = make_parser((arguments[0],))
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise UserError(unknown_arguments(parsed.verb, unknown, verbs[parsed.verb]))
    status: int = import_module(f"mpi_automl.cli.{parsed.verb}").run(parsed)
    return status


def make_parser(complete: Collection[str]) -> tuple[Parser, dict[str, Parser]]:
    """The parser of the command, and those of its verbs.

    Parameters
    ----------
    complete : collection of str
        Verbs whose options are added; only their modules are imported, as help must not wait for the others.
    """
    parser = Parser(
        prog="mpi-automl",
        description=DESCRIPTION,
        epilog="mpi-automl VERB --help tells more, with an example.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=18),
    )
    parser.add_argument("--version", action="version", version=f"mpi_automl {__version__}")
    chooser = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    verbs = {}
    for name, summary in VERBS.items():
        verb = chooser.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name in complete:
            import_module(f"mpi_automl.cli.{name}").add_arguments(verb)
        verbs[name] = verb
    return parser, verbs


def full_parser() -> Parser:
    """The parser with the options of all verbs."""
    return make_parser(VERBS)[0]


def _unknown_verb(word: str) -> str:
    near = get_close_matches(word, VERBS, n=1)
    if near:
        return f"There is no verb {word}; did you mean {near[0]}?"
    if Path(word).is_dir():
        return f"There is no verb {word}; to look at the run in that directory: mpi-automl show {word}."
    if Path(word).is_file():
        return f"There is no verb {word}; to learn from that table: mpi-automl fit {word} --target COLUMN."
    return f"There is no verb {word}; mpi-automl --help lists what there is."
