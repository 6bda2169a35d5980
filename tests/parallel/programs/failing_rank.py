"""One rank raises while the others wait; the whole job must end with its traceback."""

import sys

from mpi_automl.parallel.abort import abort_on_exception
from mpi_automl.parallel.world import open_world, process_start

world = open_world(process_start())
with abort_on_exception(world, lambda text: None):
    if world.rank == int(sys.argv[1]):
        raise ZeroDivisionError("planted on purpose")
    world.wait()
