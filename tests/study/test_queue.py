"""Claims: every run is done once, whoever works on the study, and what was left half done is found."""

import json
import multiprocessing
import subprocess
import sys
import time

import pytest

from mpi_automl.study.directory import State, StudyDirectory
from mpi_automl.study.queue import Queue, open_runs


@pytest.fixture
def plan(plan_of):
    return plan_of()


@pytest.fixture
def directory(place, plan):
    directory = StudyDirectory(place / "study")
    directory.write_plan(plan, place / "study.toml")
    return directory


def finish(directory, run, state="finished", ended=None):
    directory.of(run).mkdir(parents=True, exist_ok=True)
    directory.write_result(run, {"state": state, "ended": time.time() if ended is None else ended})


def test_a_run_is_taken_once(directory, plan):
    first, second = (Queue(directory, open_runs(directory, plan.runs), first=number) for number in (0, 1))
    taken = []
    for queue in (first, second) * 4:
        claim = queue.take()
        taken.append(claim.run.id)
        directory.begin(claim.run)
        assert directory.state(claim.run).state is State.RUNNING
        finish(directory, claim.run)
        claim.release()
    assert sorted(taken) == sorted(run.id for run in plan.runs)
    assert first.take() is second.take() is None
    assert open_runs(directory, plan.runs) == []
    assert {state.state for state in directory.states(plan.runs)} == {State.FINISHED}


def test_a_run_that_somebody_is_at_is_left_to_them(directory, plan):
    runs = plan.runs[:2]
    claims = [Queue(directory, runs).take(), Queue(directory, runs).take()]
    assert {claim.run.id for claim in claims} == {run.id for run in runs}
    assert Queue(directory, runs).take() is None
    claims[0].release()
    assert Queue(directory, runs).take().run.id == claims[0].run.id


def test_a_claim_of_a_process_that_died_is_taken_over(directory, plan):
    run = plan.runs[0]
    program = (
        "import sys, os; from pathlib import Path; from mpi_automl.storage.run_lock import RunLock;"
        "lock = Path(sys.argv[1]); lock.parent.mkdir(parents=True); assert RunLock(lock).try_acquire(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program, directory.of(run) / "claim.json"], check=False)
    directory.begin(run)
    assert directory.state(run).state is State.HALF_WRITTEN
    order = open_runs(directory, plan.runs)
    assert order[-1].id == run.id and len(order) == len(plan.runs)
    claim = Queue(directory, [run]).take()
    assert claim.run == run
    assert directory.begin(run).name == "attempt-1"


def test_failures_are_done_again_only_when_asked_and_once(directory, plan):
    for run in plan.runs[1:]:
        finish(directory, run)
    failed = plan.runs[0]
    finish(directory, failed, "failed", ended=100.0)
    assert open_runs(directory, plan.runs) == []
    again = open_runs(directory, plan.runs, again_before=200.0)
    assert [run.id for run in again] == [failed.id]
    two = [Queue(directory, again, again_before=200.0) for _ in range(2)]
    claim = two[0].take()
    finish(directory, failed, "failed", ended=300.0)
    claim.release()
    assert two[1].take() is None


def test_no_more_than_the_share_and_nothing_that_takes_too_long(directory, plan):
    queue = Queue(directory, plan.runs, most=2)
    assert queue.take(seconds=5.0) is None
    assert queue.take() and queue.take()
    assert queue.take() is None


def test_a_result_that_appears_meanwhile_is_seen(directory, plan):
    queue = Queue(directory, plan.runs[:1])
    finish(directory, plan.runs[0])
    assert queue.take() is None


def test_a_half_written_result_is_none(directory, plan):
    run = plan.runs[0]
    directory.begin(run)
    (directory.of(run) / "result.json").write_text('{"state": "fini')
    assert directory.state(run).state is State.HALF_WRITTEN


def _take_all(path, number, out):
    directory = StudyDirectory(path)
    queue = Queue(directory, open_runs(directory, directory.read_plan().runs), first=number)
    taken = []
    while (claim := queue.take()) is not None:
        taken.append(claim.run.id)
        finish(directory, claim.run)
        claim.release()
    out.put(taken)


def test_processes_that_take_at_the_same_time_share_the_runs(directory, plan):
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    takers = [context.Process(target=_take_all, args=(directory.path, number, out)) for number in range(4)]
    for taker in takers:
        taker.start()
    taken = [run for _ in takers for run in out.get(timeout=60)]
    for taker in takers:
        taker.join()
    assert sorted(taken) == sorted(run.id for run in plan.runs)


def test_the_plan_is_written_where_nothing_else_is(place, plan, directory):
    assert json.loads((directory.path / "plan.json").read_text())["name"] == "study"
    assert StudyDirectory.existing(directory.path).read_plan() == plan
