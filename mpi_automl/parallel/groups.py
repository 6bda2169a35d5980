"""One MPI job in groups of ranks, each of which does jobs of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mpi_automl.errors import UserError
from mpi_automl.parallel.world import RankLocation, World


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
    world.on_root(lambda: _check_size(world.size, ranks))
    if world.comm is None:
        return world, 0
    order = sorted(range(world.size), key=lambda rank: (world.locations[rank].node, rank))
    at_work = order[: world.size // ranks * ranks]
    number, is_left_over = order.index(world.rank) // ranks, world.rank not in at_work
    from mpi4py import MPI

    colour = MPI.UNDEFINED if is_left_over or ranks == 1 else number
    comm = world.comm.Split(colour, key=order.index(world.rank))
    if is_left_over:
        return None, number
    group = World(comm if isinstance(comm, MPI.Intracomm) and ranks > 1 else None, world.started)
    members = order[number * ranks : (number + 1) * ranks]
    group.neighbours = neighbours_of(group, world, members, at_work)
    return group, number


def _check_size(size: int, ranks: int) -> None:
    if size < ranks:
        raise UserError(f"A run takes {ranks} ranks and this job has {size}; start at least {ranks}.")


def neighbours_of(group: World, world: World, members: Sequence[int], at_work: Sequence[int]) -> list[RankLocation]:
    """Ranks of other groups that share a group's nodes.

    Parameters
    ----------
    group, world : World
    members : sequence of int
        The group's ranks in the world, in their order in the group.
    at_work : sequence of int
        The world's ranks that are in any group.
    """
    numbers = {world.locations[rank].node: place.node for rank, place in zip(members, group.locations, strict=True)}
    others = [world.locations[rank] for rank in at_work if rank not in members]
    return [replace(place, node=numbers[place.node]) for place in others if place.node in numbers]
