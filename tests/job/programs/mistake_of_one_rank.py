"""The package's command; a function raises a `UserError` on one rank: ``... MODULE:FUNCTION RANK ARGUMENTS...``."""

import sys
from importlib import import_module

from mpi_automl.cli.main import entry
from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch

target, rank, *arguments = sys.argv[1:]
module, _, path = target.partition(":")
*owners, name = path.split(".")
owner = import_module(module)
for step in owners:
    owner = getattr(owner, step)


def fail(*_, **__):
    raise UserError("Planted.")


if detect_launch().rank == int(rank):
    setattr(owner, name, fail)
entry(arguments)
