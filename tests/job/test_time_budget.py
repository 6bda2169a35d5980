"""The clock of a job: what is reserved for what, and what a signal leaves of it."""

from dataclasses import replace

import pytest

from mpi_automl.errors import UserError
from mpi_automl.job.time_budget import (
    JobFacts,
    TimeBudget,
    TotalTimeUsedUpError,
    end_reserve,
    last_run_end,
    make_time_budget,
    refit_reserve,
    report_reserve,
    seconds_of_auto,
)
from mpi_automl.machine.scheduler import TimeLeft
from mpi_automl.settings import Settings

START = 1000.0
FACTS = JobFacts(START, START + 2.0, ranks=8, load=1.0, seconds_used=0.0, refit_limit=1000.0, wants_refits=False)
REFITS = replace(FACTS, wants_refits=True)


def budget_of(facts=FACTS, **options):
    return make_time_budget(Settings(**options), facts)


def test_the_parts_of_a_job_follow_each_other():
    budget = budget_of(REFITS, time=1000.0)
    # At the end 2 s and 2 % for the result and 3 s for the report; before it a tenth for the refits.
    assert budget.started == START
    assert budget.search_end == START + 1000.0 - 22.0 - 3.0 - 100.0
    assert budget.refit_end == START + 1000.0 - 0.5 * 25.0
    assert budget.report_end == START + 1000.0 - 1.5
    assert budget.deadline == START + 1000.0
    assert budget.seconds == 1000.0
    assert budget.reserves_refits
    assert not budget.leaves_total


def test_without_refits_and_report_the_search_has_their_time():
    budget = budget_of(time=1000.0, report=False)
    assert budget.search_end == START + 1000.0 - 22.0
    assert not budget.reserves_refits


@pytest.mark.parametrize(
    ("seconds", "load", "reserved"),
    [(1000, 1, 22), (1000, 0.5, 22), (1000, 4, 23.5), (10_000, 1, 62), (100_000, 1, 62), (4, 1, 1), (20, 8, 5)],
)
def test_the_reserve_for_the_result(seconds, load, reserved):
    assert end_reserve(seconds, load) == pytest.approx(reserved)


@pytest.mark.parametrize(
    ("seconds", "wants", "reserved"), [(19.9, True, 0), (20, True, 0.8), (3600, True, 3), (3600, False, 0)]
)
def test_the_reserve_for_the_report(seconds, wants, reserved):
    assert report_reserve(Settings(report=wants), seconds) == pytest.approx(reserved)


def test_refits_reserve_no_more_than_members_can_use():
    assert refit_reserve(Settings(), 1000, FACTS) == 100
    assert refit_reserve(Settings(), 400, FACTS) == 40
    assert refit_reserve(Settings(), 1000, replace(FACTS, ranks=64, refit_limit=20.0)) == 20
    assert refit_reserve(Settings(), 1000, replace(FACTS, ranks=25, refit_limit=20.0)) == 40
    assert refit_reserve(Settings(final_time=300), 1000, FACTS) == 300


def test_a_job_too_short_for_refits_leaves_them_out_unless_they_are_asked_for():
    late = replace(REFITS, now=START + 15.5)
    budget = budget_of(late, time=20.0, report=False)
    assert not budget.reserves_refits
    assert budget.search_end == pytest.approx(START + 20.0 - 2.4)
    with pytest.raises(UserError, match="too short"):
        budget_of(late, time=20.0, report=False, final_models="refit")


def test_too_short_a_time_is_one_sentence_with_a_longer_one():
    with pytest.raises(UserError) as raised:
        budget_of(replace(FACTS, now=START + 6.0), time=8.0)
    # 2 s for the end, none left, 2 s to search: 10 s, and half as much again.
    assert "--time 8 s is too short to train anything: starting took 6 s" in str(raised.value)
    assert str(raised.value).endswith("give at least 15 s.")
    assert not isinstance(raised.value, TotalTimeUsedUpError)


def test_a_leg_takes_what_the_total_leaves():
    facts = replace(FACTS, seconds_used=70.0)
    budget = budget_of(facts, time=60.0, time_total=100.0)
    assert budget.deadline == START + 30.0
    assert budget.search_end == pytest.approx(START + 30.0 - 2.6 - 1.2)
    assert not budget.leaves_total
    assert budget_of(facts, time=10.0, time_total=100.0).leaves_total
    assert not budget_of(facts, time=25.0, time_total=100.0).leaves_total


def test_the_reserve_of_a_short_last_leg_is_its_own():
    """An hour's reserve would leave nothing of the 30 s."""
    facts = replace(FACTS, seconds_used=3570.0)
    assert budget_of(facts, time=3600.0, time_total=3600.0).search_end > START + 25.0


def test_a_total_that_is_used_up_is_said():
    for used, now in ((95.0, 2.0), (85.0, 12.0)):
        facts = replace(FACTS, seconds_used=used, now=START + now)
        with pytest.raises(TotalTimeUsedUpError, match="The 100 s of --time-total are used up"):
            budget_of(facts, time=60.0, time_total=100.0)


def test_a_signal_shortens_what_is_left():
    budget = TimeBudget(0.0, 90.0, 100.0, 108.0, 110.0)
    stopped = budget.after_signal(50.0, 30.0)
    assert stopped == TimeBudget(0.0, 50.0, 65.0, 50.0, 80.0)
    assert budget.after_signal(105.0, 30.0) == TimeBudget(0.0, 90.0, 100.0, 105.0, 110.0)


def test_a_margin_of_the_schedulers_time_is_left():
    assert seconds_of_auto(TimeLeft(START + 100.0, "Slurm"), START) == 95.0
    assert seconds_of_auto(TimeLeft(START + 7200.0, "Slurm"), START) == 7180.0
    with pytest.raises(UserError, match="--time auto: Slurm leaves this job no time"):
        seconds_of_auto(TimeLeft(START + 1.0, "Slurm"), START)


def test_a_study_ends_before_its_batch_job():
    assert last_run_end(TimeLeft(START, "PBS")) == START - 30.0
    assert last_run_end(None) is None
