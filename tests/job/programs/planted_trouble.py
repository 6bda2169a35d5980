"""The package's command, with trouble planted on one rank: ``planted_trouble.py WHAT RANK ARGUMENTS...``.

WHAT is ``raise`` or ``sleep`` (for ever): either comes when that rank is to propose its third configuration;
or ``raise-late``: when rank 0 has built the ensemble and the others wait for it.
"""

import os
import sys
import time

from mpi_automl.cli import main
from mpi_automl.search.proposer import Proposer

what, rank = sys.argv[1], sys.argv[2]
asked = []


def trouble(*_, **__):
    asked.append(1)
    if what == "sleep" and len(asked) > 2:
        time.sleep(3600)
    if what == "raise-late" or len(asked) > 2:
        raise ZeroDivisionError("planted on purpose")


def plant(owner, name, before):
    original = getattr(owner, name)

    def planted(*arguments, **named):
        before()
        return original(*arguments, **named)

    setattr(owner, name, planted)


if rank in (os.environ.get("OMPI_COMM_WORLD_RANK"), os.environ.get("PMI_RANK"), os.environ.get("PMIX_RANK")):
    if what == "raise-late":
        import mpi_automl.run

        plant(mpi_automl.run, "conclude", trouble)
    else:
        plant(Proposer, "ask", trouble)
main.entry(sys.argv[3:])
