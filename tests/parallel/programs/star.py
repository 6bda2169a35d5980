"""Checks of the world, the node file and the star of messages; every rank runs them, rank 0 prints."""

import sys
import time

import numpy as np

from mpi_automl.data.shared import map_packed
from mpi_automl.errors import UserError
from mpi_automl.parallel import node_data
from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

TRIALS = 40


def check_world(world):
    assert world.on_root(lambda: world.rank + 41) == 41
    assert world.gather(world.rank) == (list(range(world.size)) if world.is_root else [])
    for raiser in (0, world.size - 1):
        try:
            world.together(lambda raiser=raiser: _raise() if world.rank == raiser else None)
        except UserError as error:
            assert str(error) == "Wrong."
        else:
            raise AssertionError("the mistake of one rank must be raised on all")
    try:
        world.on_root(_raise)
    except UserError as error:
        assert str(error) == "Wrong."
    else:
        raise AssertionError("the mistake of rank 0 must be raised on all")


def _raise():
    raise UserError("Wrong.")


def check_node_file(world):
    def make():
        assert world.is_root
        return {"table": np.arange(300_000.0).reshape(-1, 3), "name": "näme"}

    node_file = share_on_nodes(world, make, None)
    found = map_packed(node_file.path)
    assert found["name"] == "näme"
    assert found["table"].sum() == np.arange(300_000.0).sum()
    assert not found["table"].flags.writeable
    assert "(deleted)" in str(node_file.path.readlink())
    node_file.close()


def check_two_nodes(world):
    """The table goes from node to node in pieces, and lies once on each; one node without room fails all ranks."""
    if world.comm is None:
        return
    real, node_data._PIECE = world.node_comm, 100_000
    world.node_comm = world.comm.Split(world.rank % 2, key=world.rank)
    table = np.arange(300_000.0).reshape(-1, 3)
    node_file = share_on_nodes(world, lambda: table, None)
    np.testing.assert_array_equal(map_packed(node_file.path), table)
    inodes = world.comm.allgather(node_file.path.stat().st_ino)
    assert [inode == inodes[0] for inode in inodes] == [rank % 2 == 0 for rank in range(world.size)]
    node_file.close()
    try:
        share_on_nodes(world, lambda: table, "/dev/null" if world.rank == 1 else None)
    except UserError as error:
        assert "/dev/null has no room" in str(error)
    else:
        assert world.size == 1
    world.node_comm = real


def check_star(world, share):
    """Every rank reports TRIALS trials; what each receives is counted."""
    # A job has one exchange: the messages of this one must not meet a rank that is still in the one before.
    world.wait()
    exchange = open_exchange(world, share)
    received = []
    delivered = False
    for number in range(TRIALS):
        key = TrialKey(0, world.rank, number)
        cost = 1.0 - (number * world.size + world.rank) / 1000
        exchange.post([TrialUpdate(key, Status.SUCCESS, cost, Origin.MODEL, 1.0, 0.1, np.array([cost, np.nan]))])
        received += [update for bulletin in exchange.serve() for update in bulletin.trials]
        time.sleep(0.001 * (world.rank % 3))
    while not exchange.is_idle:
        if not delivered:
            delivered = exchange.post(is_last=True)
        received += [update for bulletin in exchange.serve() for update in bulletin.trials]
        time.sleep(0.001)
    # A job has one exchange, and a barrier after it; here the next one must not begin before all have left this one.
    world.wait()
    keys = {update.key for update in received}
    assert len(keys) == len(received), "a trial came twice"
    best = TrialKey(0, world.size - 1, TRIALS - 1)
    if share == "history":
        assert keys == {TrialKey(0, rank, number) for rank in range(world.size) for number in range(TRIALS)}
    elif share == "incumbents":
        assert best in keys
    else:
        assert not keys
    for update in received:
        assert update.vector[0] == update.cost
        assert np.isnan(update.vector[1])
    if world.is_root:
        assert exchange.coordinator.incumbent.key == best
    return max(exchange.latencies, default=0.0)


def check_stop(world):
    """The last rank wants to stop; all receive the order."""
    world.wait()
    exchange = open_exchange(world, "none")
    started = time.monotonic()
    stopped = False
    while not stopped:
        exchange.post(wants_stop=world.rank == world.size - 1)
        stopped = any(bulletin.stop for bulletin in exchange.serve())
        time.sleep(0.001)
        assert time.monotonic() - started < 10
    delivered = False
    while not exchange.is_idle:
        delivered = delivered or exchange.post(is_last=True)
        exchange.serve()
        time.sleep(0.001)


def main():
    world = open_world(process_start())
    assert world.size == int(sys.argv[1])
    check_world(world)
    check_node_file(world)
    check_two_nodes(world)
    latencies = [check_star(world, share) for share in ("none", "incumbents", "history")]
    check_stop(world)
    world.wait()
    if world.is_root:
        print(f"fine: {world.size} ranks, {world.library}, longest {max(latencies):.3f} s")


main()
