"""Checks of exchange in rounds; every rank runs them, rank 0 prints."""

import hashlib
import sys
import time

import numpy as np

from mpi_automl.parallel.rounds import OneByOne, Pace, open_pace
from mpi_automl.parallel.world import open_world, process_start
from mpi_automl.settings import Settings
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

WIDTH = 70


def news(rank, number, status):
    vector = np.where(np.arange(WIDTH) % 3 == number % 3, np.nan, rank + number / 100)
    cost = np.nan if status is Status.RUNNING else 1.0 / (1 + number) + rank / 1000
    return TrialUpdate(TrialKey(0, rank, number), status, cost, Origin.MODEL, 1.0, 0.1, vector)


def search(world, pace, trials, rng):
    """Make so many trials, at random speed; gives what was known at each trial, and all that was heard."""
    heard, known = [], []
    number = 0
    while number < trials:
        heard += [trial for bulletin in pace.serve() for trial in bulletin.trials]
        if pace.has_turn:
            known.append(len(heard))
            pace.note([news(world.rank, number, Status.RUNNING)])
            assert not pace.has_turn
            time.sleep(float(rng.exponential(0.004)))
            pace.note([news(world.rank, number, Status.SUCCESS)])
            number += 1
        time.sleep(0.0005)
    pace.leave()
    limit = time.monotonic() + 20
    while not pace.is_over:
        assert time.monotonic() < limit, f"rank {world.rank} waits for ever"
        heard += [trial for bulletin in pace.serve() for trial in bulletin.trials]
        time.sleep(0.0005)
    return heard, known


def check_history(world, every):
    """What a rank knows when depends on nothing but counts, also when ranks make different numbers of trials."""
    made = [3 * every + 2 - (rank == world.size - 1) * every for rank in range(world.size)]
    seen = set()
    for attempt in range(2):
        pace = open_pace(world, Settings(deterministic=True, trials=9, exchange_every=every), WIDTH)
        heard, known = search(world, pace, made[world.rank], np.random.default_rng(10 * attempt + world.rank))
        keys = [trial.key for trial in heard]
        assert sorted(keys) == [TrialKey(0, rank, n) for rank in range(world.size) for n in range(made[rank])]
        for trial in heard:
            expected = news(trial.key.rank, trial.key.number, Status.SUCCESS)
            np.testing.assert_array_equal(trial.vector, expected.vector)
            assert trial.cost == expected.cost
        seen.add((tuple(keys), tuple(known)))
        assert known[:every] == [0] * every
        assert known[every] == every * world.size
    assert len(seen) == 1
    orders = world.gather(hashlib.sha256(str(keys).encode()).hexdigest())
    assert not world.is_root or len(set(orders)) == 1


def check_incumbents(world):
    pace = open_pace(world, Settings(deterministic=True, trials=9, exchange_every=2, share="incumbents"), WIDTH)
    heard, _ = search(world, pace, 6, np.random.default_rng(world.rank))
    assert [trial.key for trial in heard] == [TrialKey(0, 0, number) for number in (1, 3, 5)]


def check_leaving_at_once(world):
    """A rank that is told to stop leaves before it has made anything; nobody is left waiting."""
    pace = open_pace(world, Settings(deterministic=True, trials=9, exchange_every=2), WIDTH)
    heard, _ = search(world, pace, 0 if world.rank == 0 else 5, np.random.default_rng(world.rank))
    assert len(heard) == 5 * (world.size - 1)


def main():
    world = open_world(process_start())
    assert world.size == int(sys.argv[1])
    for every in (1, 3):
        check_history(world, every)
    check_incumbents(world)
    check_leaving_at_once(world)
    assert type(open_pace(world, Settings(), WIDTH)) is Pace
    assert type(open_pace(world, Settings(deterministic=True, trials=2, share="none"), WIDTH)) is OneByOne
    world.wait()
    if world.is_root:
        print(f"fine: {world.size} ranks")


main()
