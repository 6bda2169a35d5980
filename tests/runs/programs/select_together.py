"""Selection on rank 0 and on all ranks, from the same store; every rank runs this."""

import sys
from functools import partial
from pathlib import Path

from mpi_automl.errors import UserError
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.runs.run import Run
from mpi_automl.runs.selection import EnsembleRules, find_candidates, select_together
from mpi_automl.storage.reader import RunReader

path = Path(sys.argv[1])
world = open_world(process_start())


def look(metric):
    assert world.is_root
    return find_candidates(Run(path, metric), EnsembleRules(10, 50, 1))


for metric in ("log_loss", "accuracy", "brier_score"):
    alone = select_together(world, Run(path), partial(look, metric))
    dealt = select_together(world, Run(path), partial(look, metric), dealt_above=0.0)
    assert dealt.weights == alone.weights
    assert dealt.trajectory == alone.trajectory
    assert dealt.cost == alone.cost
    assert len(alone.weights) > 1


class Broken(RunReader):
    """Cannot be read on one rank."""

    def predictions(self, keys, rows=None):
        if world.rank == 1 and rows is not None:
            raise UserError("these predictions are damaged")
        return super().predictions(keys, rows)


broken = Run(path)
broken.reader = Broken(path)
try:
    select_together(world, broken, partial(look, "accuracy"), dealt_above=0.0)
except UserError as error:
    assert "damaged" in str(error)
    world.wait()
    if world.is_root:
        print("fine: the same, and all heard of the damage")
