"""Whether the ranks of a node, their threads and their trials fit on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.machine.memory import NodeMemory
    from mpi_automl.parallel.world import World

BASE_MEMORY = 500.0
"""MiB of a rank and its trial server, interpreters and libraries; measured as proportional set size."""


@dataclass(frozen=True)
class MemoryBudget:
    """What the ranks of one node may use, and what there is.

    Attributes
    ----------
    ranks : int
        Ranks of the node.
    trial : float
        MiB that one trial may add to its rank.
    there : NodeMemory
    """

    ranks: int
    trial: float
    there: NodeMemory

    @classmethod
    def of(cls, world: World, trial: float) -> MemoryBudget:
        """The budget of the node where memory is scarcest."""
        budgets = (cls(node.ranks, trial, node.memory) for node in world.nodes)
        return max(budgets, key=lambda budget: budget.wanted / budget.there.mebibytes)

    @property
    def wanted(self) -> float:
        """MiB that the ranks may use, besides the table."""
        return self.ranks * (BASE_MEMORY + self.trial)

    def describe(self) -> str:
        """The budget in one line."""
        number = "1 rank" if self.ranks == 1 else f"{self.ranks} ranks"
        return (
            f"memory of a node: {number} x ({BASE_MEMORY:.0f} + {self.trial:.0f} MiB per trial) = "
            f"{self.wanted:,.0f} MiB at most, besides the table; {self.there.describe()}"
        )


def overload_warnings(world: World, threads: int, budget: MemoryBudget) -> list[str]:
    """Sentences for when ranks, threads and memory limits are more than a node has.

    Parameters
    ----------
    world : World
    threads : int
        Threads of one evaluation.
    budget : MemoryBudget
    """
    warnings = []
    load = world.load(threads)
    if load > 1:
        warnings.append(
            f"{load:.1f} threads share each core that a rank may use, so trials slow each other down; start fewer "
            "ranks, give them more cores (mpirun --bind-to none, srun --cpus-per-task) or use fewer --threads."
        )
    if budget.wanted > budget.there.mebibytes:
        warnings.append(
            f"The ranks of a node may use up to {budget.wanted:,.0f} MiB, and {budget.there.describe()}; "
            "start fewer ranks per node, ask for more memory or lower --trial-memory."
        )
    return warnings
