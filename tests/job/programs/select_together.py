"""Selection on rank 0 and on all ranks, from the same store; every rank runs this."""

import sys
from functools import partial
from pathlib import Path

from mpi_automl.job.final_selection import EnsembleRules, select_together, survey
from mpi_automl.job.run_facts import RunFacts
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.storage.reader import RunReader

run = Path(sys.argv[1])
world = open_world(process_start())


def look(metric):
    assert world.is_root
    return survey(RunReader(run), RunFacts.of_directory(run, metric), EnsembleRules(10, 50, 1))


for metric in ("log_loss", "accuracy", "brier_score"):
    alone = select_together(world, run, partial(look, metric))
    dealt = select_together(world, run, partial(look, metric), dealt_above=0.0)
    assert dealt.weights == alone.weights
    assert dealt.trajectory == alone.trajectory
    assert dealt.cost == alone.cost
    assert len(alone.weights) > 1
if world.is_root:
    print("fine: the same")
