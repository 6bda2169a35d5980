"""What ranks say they know is compared with the records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mpi_automl.job.exchange_audit import audit_exchange
from mpi_automl.job.rank_statistics import RankStatistics
from mpi_automl.runs.run import Run
from mpi_automl.trial import Status


@pytest.fixture(scope="module")
def run(example_job):
    return Run(example_job.directory)


@pytest.fixture
def statistics(run):
    reader = run.reader
    total, best = len(reader), min(reader.cost(key) for key in reader.best(1))
    counts = [Counter(Status(s) for s in reader.records["status"][reader.records["rank"] == rank]) for rank in range(4)]
    return [
        RankStatistics(rank, own, 10.0, 5.0, 1.0, 0.1, (), total - sum(own.values()), best, was_stopped=False)
        for rank, own in enumerate(counts)
    ]


@pytest.mark.parametrize("share", ["none", "incumbents", "history"])
def test_statistics_that_agree_are_reported(run, statistics, share):
    found = audit_exchange(run, 0, statistics, share)
    assert not found.problem
    assert found.agreement
    assert not audit_exchange(run, 0, statistics[:1], share).agreement


def test_a_rank_that_received_too_little_is_named(run, statistics):
    statistics[2] = replace(statistics[2], received=statistics[2].received - 1)
    assert "Rank 2 received" in audit_exchange(run, 0, statistics, "history").problem
    assert not audit_exchange(run, 0, statistics, "incumbents").problem


def test_a_rank_that_does_not_know_the_best_trial_is_named(run, statistics):
    statistics[1] = replace(statistics[1], best_cost=0.7)
    assert "Rank 1 did not receive the best trial" in audit_exchange(run, 0, statistics, "incumbents").problem
    assert not audit_exchange(run, 0, statistics, "none").problem


def test_trials_that_are_not_in_the_store_are_noticed(run, statistics):
    statistics[3].statuses[Status.SUCCESS] += 1
    assert "Rank 3 finished" in audit_exchange(run, 0, statistics, "none").problem


def test_the_job_says_that_all_was_received(example_job, run):
    expected = f"Every rank received all trials of the others ({len(run.reader)} in total)"
    assert expected in " ".join(example_job.done.stdout.split())
    assert Run(example_job.directory).directory.read_ensemble()["sharing"].startswith(expected)
