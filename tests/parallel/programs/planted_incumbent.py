"""Rank 3 finds an incumbent; rank 1 must know it within a second and propose something else for it.

Each rank has the proposer of a real run, and a twin of it that is never given anything of others.
"""

import time

import numpy as np
from ConfigSpace import ConfigurationSpace

from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.seeds import rank_seed
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

FINDER, LISTENER = 3, 1
PLANTED = np.array([0.123, 0.877, 0.345])
OWN_TRIALS = 8


def make_proposer(rank):
    space = ConfigurationSpace(dict.fromkeys("abc", (0.0, 1.0)))
    proposer = Proposer(space, seed=rank_seed(1, rank), initial=[])
    generator = np.random.default_rng(rank)
    vectors = generator.random((OWN_TRIALS, 3))
    keys = [TrialKey(0, rank, number) for number in range(OWN_TRIALS)]
    costs = 0.5 + 0.1 * ((vectors - PLANTED) ** 2).sum(axis=1)
    proposer.tell(vectors, costs, [Status.SUCCESS] * OWN_TRIALS, keys, foreign=False)
    return proposer


def main():
    world = open_world(process_start())
    proposer, twin = make_proposer(world.rank), make_proposer(world.rank)
    exchange = open_exchange(world, "incumbents")
    world.wait()
    if world.rank == FINDER:
        key = TrialKey(0, FINDER, OWN_TRIALS)
        exchange.post([TrialUpdate(key, Status.SUCCESS, 0.01, Origin.MODEL, 1.0, world.now(), PLANTED)])
    took = None
    delivered = False
    limit = time.monotonic() + 20
    while not exchange.is_idle:
        assert time.monotonic() < limit
        for bulletin in exchange.serve():
            for update in bulletin.trials:
                if update.key.rank != world.rank:
                    proposer.tell([update.vector], [update.cost], [update.status], [update.key], foreign=True)
                    took = world.now() - update.seconds
        if took is not None or world.rank == FINDER:
            delivered = delivered or exchange.post(is_last=True)
        time.sleep(0.005)
    if world.rank == LISTENER:
        assert took < 1.0, took
        row = proposer.history.best()
        np.testing.assert_allclose(proposer.history.vectors[row], PLANTED)
        proposals = [proposer.ask() for _ in range(6)]
        lonely = [twin.ask() for _ in range(6)]
        nearest = min(np.abs(proposal.vector - PLANTED).max() for proposal in proposals)
        nearest_alone = min(np.abs(proposal.vector - PLANTED).max() for proposal in lonely)
        assert any((a.vector != b.vector).any() for a, b in zip(proposals, lonely, strict=True))
        assert nearest < nearest_alone, (nearest, nearest_alone)
        assert nearest < 0.15, nearest
        print(
            f"fine: received after {1e3 * took:.1f} ms, proposed within {nearest:.3f} of it, alone {nearest_alone:.3f}"
        )


main()
