"""The ranks of a job in groups: who is near, and whose cores and memory they share."""

from collections import Counter
from pathlib import Path

from mpi_automl.job.node_budget import MemoryBudget
from mpi_automl.machine.memory import NodeMemory
from mpi_automl.parallel.groups import neighbours_of
from mpi_automl.parallel.world import RankLocation, World

PROGRAM = Path(__file__).parent / "programs" / "groups.py"
FOUR = frozenset(range(4))


def world_of(*nodes):
    world = World(None, 0.0)
    memory = NodeMemory(8000.0, "the node has")
    world.locations = [RankLocation(f"n{node}", rank, FOUR, node, memory) for rank, node in enumerate(nodes)]
    return world


def test_other_groups_on_a_node_take_their_share_of_it():
    world, group = world_of(0, 0, 0, 1, 1, 1), world_of(0, 1)
    # The last rank is in no group.
    group.neighbours = neighbours_of(group, world, members=[2, 3], at_work=[0, 1, 2, 3, 4])
    assert Counter(place.node for place in group.neighbours) == {0: 2, 1: 1}
    assert {place.host for place in group.neighbours if place.node == 1} == {"n1"}
    assert group.load(1) == 3 / 4
    assert MemoryBudget.of(group, 500.0).ranks == 3


def test_a_group_numbers_the_nodes_by_itself():
    world, group = world_of(0, 0, 1, 1, 1), world_of(0, 0)
    group.neighbours = neighbours_of(group, world, members=[2, 3], at_work=range(5))
    assert [(place.host, place.node) for place in group.neighbours] == [("n1", 0)]


def test_ranks_of_a_launcher_in_groups(launch):
    # Ranks that all may use the same cores.
    done = launch(5, "python", PROGRAM, env={"OMPI_MCA_hwloc_base_binding_policy": "none"})
    assert done.returncode == 0, done.stderr
    pairs = [f"group {number} of 2 has 2 neighbours on {{0}}, 4" for number in (0, 0, 1, 1)]
    alone = [f"group {number} of 1 has 4 neighbours on {{0}}, 5" for number in range(5)]
    assert done.stdout.splitlines() == [*pairs, "group 2 is left over", *alone]
