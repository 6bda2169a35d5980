"""One MPI job in groups of ranks, each of which does jobs of its own."""

from __future__ import annotations

from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World


def split_into_groups(world: World, ranks: int) -> tuple[World | None, int]:
    """Collective. Divide the ranks of a job into groups whose members are near each other.

    Parameters
    ----------
    world : World
    ranks : int
        Of each group.

    Returns
    -------
    group : World or None
        Its own group for each rank; None for ranks that are left over. A group of one rank is without MPI: an
        exception in it concerns nobody else.
    number : int
        Of the group, from 0.

    Raises
    ------
    UserError
        If there are fewer ranks than one group needs.
    """
    if world.size < ranks:
        raise UserError(f"A run takes {ranks} ranks and this job has {world.size}; start at least {ranks}.")
    order = sorted(range(world.size), key=lambda rank: (world.places[rank].node, rank))
    number, is_left_over = order.index(world.rank) // ranks, order.index(world.rank) >= world.size // ranks * ranks
    if world.comm is None:
        return world, 0
    from mpi4py import MPI

    colour = MPI.UNDEFINED if is_left_over or ranks == 1 else number
    comm = world.comm.Split(colour, key=order.index(world.rank))
    if is_left_over:
        return None, number
    if ranks == 1:
        return World(None, world.started), number
    assert isinstance(comm, MPI.Intracomm)
    return World(comm, world.started), number
