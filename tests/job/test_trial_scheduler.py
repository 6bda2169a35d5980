"""Which trial is next: first trials, promotions, proposals."""

from dataclasses import replace

import numpy as np
from ConfigSpace import Categorical, ConfigurationSpace
from simulated_loop import Slope, make_end, make_proposer, make_running, make_trial, make_update

from mpi_automl.job.trial_scheduler import ScheduleOptions, TrialScheduler
from mpi_automl.search.seeds import trial_seed
from mpi_automl.trial import Origin, Result, Status

OPTIONS = ScheduleOptions(leg=2, rank=3, seed=7)
TINY = ConfigurationSpace()
TINY.add(Categorical("which", ["a", "b"]))


def promotion(budget=1.0):
    return replace(make_update(0, 5), status=Status.RUNNING, origin=Origin.PROMOTED, budget=budget)


def test_first_trials_come_before_promotions_and_these_before_proposals():
    scheduler = TrialScheduler(make_proposer(), replace(OPTIONS, budget=0.5), [make_trial(0, origin=Origin.DUMMY)])
    scheduler.promote([promotion()])
    trials = [scheduler.next() for _ in range(3)]
    assert [trial.origin for trial in trials] == [Origin.DUMMY, Origin.PROMOTED, Origin.RANDOM]
    assert [trial.budget for trial in trials] == [1.0, 1.0, 0.5]
    assert [trial.key for trial in trials[1:]] == [(2, 3, 1), (2, 3, 2)]
    assert trials[2].seed == trial_seed(7, trials[2].key)
    assert scheduler.scheduled == 3


def test_a_number_of_trials_ends_the_search_once_all_have_ended():
    scheduler = TrialScheduler(make_proposer(), replace(OPTIONS, max_trials=2))
    running = make_running(make_end())
    for _ in range(2):
        assert scheduler.is_due(running)
        scheduler.next()
    assert not scheduler.is_due(running)
    assert not scheduler.is_complete(1)
    assert scheduler.is_complete(2)


def test_a_space_without_anything_new_ends_the_search():
    scheduler = TrialScheduler(make_proposer(TINY), OPTIONS)
    assert {float(scheduler.next().vector[0]) for _ in range(2)} == {0.0, 1.0}
    assert not scheduler.is_complete(2)
    assert scheduler.next() is None
    assert scheduler.is_exhausted
    assert scheduler.is_complete(2)
    assert not scheduler.is_due(make_running(make_end()))


def test_a_rank_that_tried_everything_waits_for_promotions_a_while():
    scheduler = TrialScheduler(make_proposer(TINY), replace(OPTIONS, budget=0.5))
    trials = [scheduler.next() for _ in range(2)]
    scheduler.note_end(Result(trials[1], Status.SUCCESS, 0.1, 0.0, 1.0))
    assert scheduler.next() is None
    assert not scheduler.is_complete(2)
    scheduler.promote([promotion()])
    assert scheduler.is_due(make_running(make_end()))
    assert scheduler.next().origin is Origin.PROMOTED


def test_the_next_proposal_is_put_off_while_a_long_trial_runs_and_a_promotion_is_not():
    scheduler = TrialScheduler(make_proposer(), OPTIONS)
    running = make_running(make_end(), Slope(20.0))
    assert scheduler.seconds_until_due(running) == 0.0
    for _ in range(4):
        scheduler.note_end(Result(scheduler.next(), Status.SUCCESS, 0.1, 0.0, 100.0))
    running.submit(scheduler.next(), np.inf)
    assert scheduler.seconds_until_due(running) > 50.0
    assert not scheduler.is_due(running)
    scheduler.promote([promotion()])
    assert scheduler.seconds_until_due(running) == 0.0
    assert scheduler.is_due(running)


def test_the_time_of_each_proposal_is_known_at_the_end_of_its_trial():
    scheduler = TrialScheduler(make_proposer(), OPTIONS, [make_trial(0)])
    first, proposed = scheduler.next(), scheduler.next()
    assert scheduler.note_end(Result(first, Status.SUCCESS, 0.1, 0.0, 1.0)) == 0.0
    assert scheduler.note_end(Result(proposed, Status.SUCCESS, 0.1, 0.0, 1.0)) == scheduler.ask_seconds > 0.0
