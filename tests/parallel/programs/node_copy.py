"""Rank 0 makes an array, and every rank says what it sees in its node's copy: ``node_copy.py DIRECTORY``."""

import sys

import numpy as np

from mpi_automl.data.shared import map_packed
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.parallel.world import open_world, process_start

world = open_world(process_start())
file = share_on_nodes(world, lambda: np.arange(100_000.0), sys.argv[1])
sys.stdout.write(f"rank {world.rank} of {world.size}: {map_packed(file.path).sum():.0f}\n")
file.close()
