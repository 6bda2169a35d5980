"""Five ranks in groups of 2 and of 1: what each knows of its neighbours, and how many cores it has for itself."""

import time

from mpi_automl.parallel.groups import split_into_groups
from mpi_automl.parallel.world import open_world

world = open_world(time.time())
cores = len(world.location.cores)
for ranks in (2, 1):
    group, number = split_into_groups(world, ranks)
    words = ["is left over"]
    if group is not None:
        nodes = {place.node for place in group.neighbours}
        words = [f"of {group.size} has {len(group.neighbours)} neighbours on {nodes}, {cores / group.cores_per_rank:g}"]
    for line in world.gather(f"group {number} {words[0]}"):
        print(line)
