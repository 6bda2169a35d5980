"""Is a node told what may come to be used of it, and warned of too much?"""

import time

import pytest

from mpi_automl.job.node_budget import MemoryBudget, overload_warnings
from mpi_automl.machine.memory import NodeMemory
from mpi_automl.parallel.world import RankLocation, World


@pytest.fixture
def world():
    """Two ranks on a node with plenty of memory, one on a node with little."""
    made = World(None, time.time())
    rich, poor = NodeMemory(64_000, "the node has"), NodeMemory(2000, "SLURM_MEM_PER_NODE allows")
    made.locations = [RankLocation("a", 1, frozenset({0, 1}), 0, rich)] * 2 + [
        RankLocation("b", 1, frozenset({0, 1}), 1, poor)
    ]
    return made


def test_the_scarcest_node_counts(world):
    budget = MemoryBudget.of(world, 1000.0)
    assert budget.wanted == 1500
    assert budget.describe() == (
        "memory of a node: 1 rank x (500 + 1000 MiB per trial) = 1,500 MiB at most, besides the table; "
        "SLURM_MEM_PER_NODE allows 2,000 MiB"
    )
    assert overload_warnings(world, 1, budget) == []


def test_too_much_memory_and_too_many_threads_are_named(world):
    threads, memory = overload_warnings(world, 2, MemoryBudget.of(world, 3000.0))
    assert "2.0 threads share each core" in threads
    assert "may use up to 3,500 MiB, and SLURM_MEM_PER_NODE allows 2,000 MiB" in memory
    assert "--trial-memory" in memory
