"""``mpi-automl export``: a model as a scikit-learn object, or the run history in SMAC's files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mpi_automl.cli.options import add_plugins, plugins_from
from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--ensemble", metavar="FILE", type=Path, help="write the whole ensemble to FILE (.skops)")
    what.add_argument("--member", metavar="TRIAL", help="write one member, named as in show, to the file of --out")
    what.add_argument("--smac", metavar="DIR", type=Path, help="write the run history in the files of SMAC 2")
    parser.add_argument("--out", metavar="FILE", type=Path, help="file for --member")
    parser.add_argument(
        "--encoded",
        action="store_true",
        help="leave out the step that encodes raw tables, which needs mpi_automl where the file is loaded",
    )
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl export runs/price --ensemble price.skops"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    if (arguments.member is None) != (arguments.out is None):
        raise UserError("--member and --out go together: --member 0-1-7 --out member.skops.")
    from mpi_automl.runs.run import Run

    source = Run(arguments.directory, plugins=plugins_from(arguments))
    if arguments.smac is not None:
        from mpi_automl.runs.smac_export import export_to_smac

        written = export_to_smac(source, arguments.smac)
        print(f"{written} trials: {arguments.smac}")
        return 0
    from mpi_automl.ensemble.combination import parse_key
    from mpi_automl.ensemble.sklearn_export import save_estimator, to_sklearn

    try:
        key = None if arguments.member is None else parse_key(arguments.member)
    except ValueError:
        raise UserError(f"--member is {arguments.member!r}; it must be a trial such as 0-1-7.") from None
    out = arguments.ensemble or arguments.out
    own = save_estimator(to_sklearn(source.model, key, encoded=arguments.encoded), out)
    print(f"{out}: {_loading(own)}")
    return 0


def _loading(own: Sequence[str]) -> str:
    """How the file is loaded, and what it needs there."""
    if not own:
        return (
            "scikit-learn and skops load it, without mpi_automl: "
            "skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))"
        )
    names = ", ".join(name.rpartition(".")[2] for name in own)
    return (
        f"mpi_automl must be installed where it is loaded, for {names}: "
        "skops.io.load(file, trusted=mpi_automl.ensemble.saved_pipelines.trusted_types())"
    )
