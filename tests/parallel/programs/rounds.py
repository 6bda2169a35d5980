"""Checks of exchange in rounds; every rank runs them, rank 0 prints."""

import hashlib
import sys
import time

import numpy as np

from mpi_automl.parallel.rounds import OneByOne, Synchronization, open_synchronization
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.settings import Settings
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

WIDTH = 70


def update(rank, number, status):
    vector = np.where(np.arange(WIDTH) % 3 == number % 3, np.nan, rank + number / 100)
    cost = np.nan if status is Status.RUNNING else 1.0 / (1 + number) + rank / 1000
    return TrialUpdate(TrialKey(0, rank, number), status, cost, Origin.MODEL, 1.0, 0.1, vector)


def search(world, rounds, trials, rng):
    """Make so many trials, at random speed; gives what was known at each trial, and all that was received."""
    received, known = [], []
    number = 0
    while number < trials:
        received += [trial for bulletin in rounds.serve() for trial in bulletin.trials]
        if rounds.has_turn:
            known.append(len(received))
            rounds.note([update(world.rank, number, Status.RUNNING)])
            assert not rounds.has_turn
            time.sleep(float(rng.exponential(0.004)))
            rounds.note([update(world.rank, number, Status.SUCCESS)])
            number += 1
        time.sleep(0.0005)
    rounds.leave()
    limit = time.monotonic() + 20
    while not rounds.is_over:
        assert time.monotonic() < limit, f"rank {world.rank} waits for ever"
        received += [trial for bulletin in rounds.serve() for trial in bulletin.trials]
        time.sleep(0.0005)
    return received, known


def check_history(world, every):
    """What a rank knows when depends on nothing but counts, also when ranks make different numbers of trials."""
    made = [3 * every + 2 - (rank == world.size - 1) * every for rank in range(world.size)]
    seen = set()
    for attempt in range(2):
        rounds = open_synchronization(world, Settings(deterministic=True, trials=9, exchange_every=every), WIDTH)
        received, known = search(world, rounds, made[world.rank], np.random.default_rng(10 * attempt + world.rank))
        keys = [trial.key for trial in received]
        assert sorted(keys) == [TrialKey(0, rank, n) for rank in range(world.size) for n in range(made[rank])]
        for trial in received:
            expected = update(trial.key.rank, trial.key.number, Status.SUCCESS)
            np.testing.assert_array_equal(trial.vector, expected.vector)
            assert trial.cost == expected.cost
        seen.add((tuple(keys), tuple(known)))
        assert known[:every] == [0] * every
        assert known[every] == every * world.size
    assert len(seen) == 1
    orders = world.gather(hashlib.sha256(str(keys).encode()).hexdigest())
    assert not world.is_root or len(set(orders)) == 1


def check_incumbents(world):
    rounds = open_synchronization(
        world, Settings(deterministic=True, trials=9, exchange_every=2, share="incumbents"), WIDTH
    )
    received, _ = search(world, rounds, 6, np.random.default_rng(world.rank))
    assert [trial.key for trial in received] == [TrialKey(0, 0, number) for number in (1, 3, 5)]


def check_leaving_at_once(world):
    """A rank that must stop leaves before it has made anything; nobody is left waiting."""
    rounds = open_synchronization(world, Settings(deterministic=True, trials=9, exchange_every=2), WIDTH)
    received, _ = search(world, rounds, 0 if world.rank == 0 else 5, np.random.default_rng(world.rank))
    assert len(received) == 5 * (world.size - 1)


def main():
    world = open_world(process_start())
    assert world.size == int(sys.argv[1])
    for every in (1, 3):
        check_history(world, every)
    check_incumbents(world)
    check_leaving_at_once(world)
    assert type(open_synchronization(world, Settings(), WIDTH)) is Synchronization
    assert type(open_synchronization(world, Settings(deterministic=True, trials=2, share="none"), WIDTH)) is OneByOne
    world.wait()
    if world.is_root:
        print(f"fine: {world.size} ranks")


main()
