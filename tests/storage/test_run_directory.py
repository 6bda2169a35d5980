"""A run directory is never overwritten, and only one job writes to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import FINISHED, RunDirectory
from mpi_automl.storage.run_lock import RunLock
from mpi_automl.trial import TrialKey

HOLD = """
import sys, time
from pathlib import Path
from mpi_automl.storage.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", Settings(table="a.csv", target="y", time="2h"))


def hold(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_what_is_written_is_read(directory: RunDirectory) -> None:
    assert Settings.from_mapping(directory.read_config()) == Settings(table="a.csv", target="y", time="2h")
    directory.write_schema("schema")
    directory.write_space("Raum: größer")
    directory.write_ensemble({"weights": {"0-1-2": 0.5}})
    again = RunDirectory(directory.path)
    assert (again.read_schema(), again.read_space()) == ("schema", "Raum: größer")
    assert again.read_ensemble() == {"weights": {"0-1-2": 0.5}}
    assert again.model_of(TrialKey(0, 1, 2)).relative_to(again.path) == Path("models/0-1-2.skops")
    assert again.log_of(3).relative_to(again.path) == Path("logs/rank-0003.log")
    assert again.models.is_dir()
    assert again.next_leg == 0


def created_at_once(path: Path | None, count: int = 8) -> list[Path]:
    """Where directories were made by threads that begin together."""
    barrier = threading.Barrier(count)

    def create(_: int) -> Path | None:
        barrier.wait()
        try:
            return RunDirectory.create(path, Settings()).path
        except UserError:
            return None

    with ThreadPoolExecutor(count) as pool:
        return [place for place in pool.map(create, range(count)) if place is not None]


def test_jobs_without_a_name_get_directories_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = created_at_once(None)
    assert len(set(places)) == 8
    assert all(RunDirectory(place).lock.is_ours for place in places)


def test_one_of_several_jobs_gets_the_directory(tmp_path: Path) -> None:
    assert created_at_once(tmp_path / "run") == [tmp_path / "run"]


def test_a_job_that_ended_since_the_directory_was_free_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, check_free = tmp_path / "run", RunDirectory.check_free

    def check_before_another_job(path: Path) -> None:
        check_free(path)
        monkeypatch.undo()
        other = RunDirectory.create(place, Settings(table="other.csv", target="y"))
        other.write_status({"state": FINISHED})
        other.lock.release()

    monkeypatch.setattr(RunDirectory, "check_free", check_before_another_job)
    with pytest.raises(UserError, match="finished run, which is never overwritten"):
        RunDirectory.create(place, Settings())
    assert RunDirectory(place).read_config()["table"] == "other.csv"


def test_nothing_is_overwritten(directory: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unfinished run; resume with --resume"):
        RunDirectory.create(directory.path, Settings())
    directory.write_status({"state": FINISHED})
    with pytest.raises(UserError, match="finished run, which is never overwritten"):
        RunDirectory.create(directory.path, Settings())
    assert directory.read_config()["table"] == "a.csv"
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="is a file"):
        RunDirectory.create(file, Settings())
    with pytest.raises(UserError, match="not empty"):
        RunDirectory.create(tmp_path, Settings())
    (tmp_path / "empty").mkdir()
    assert RunDirectory.create(tmp_path / "empty", Settings()).state == "running"


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"):
        RunDirectory.create(tmp_path / "file" / "run", Settings())
    with pytest.raises(UserError, match="is not a run directory"):
        RunDirectory(tmp_path)


def test_broken_config_is_a_clear_error(directory: RunDirectory) -> None:
    (directory.path / "config.toml").write_text("time = ")
    with pytest.raises(UserError, match="config.toml is not TOML"):
        directory.read_config()
    with pytest.raises(UserError, match="schema.json cannot be read"):
        directory.read_schema()


def test_status_is_never_seen_in_half(directory: RunDirectory) -> None:
    texts = [{"state": "running", "text": letter * 20_000} for letter in "ab"]
    directory.write_status(texts[0])
    done = threading.Event()

    def replace() -> None:
        for number in range(200):
            directory.write_status(texts[number % 2])
        done.set()

    thread = threading.Thread(target=replace)
    thread.start()
    seen = 0
    while not done.is_set():
        assert json.loads((directory.path / "status.json").read_text()) in texts
        seen += 1
    thread.join()
    assert seen > 5
    assert directory.state == "running"


def test_files_get_the_users_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        atomic_write_text(tmp_path / "text", "x")
        RunDirectory.create(tmp_path / "run", Settings())
    finally:
        os.umask(old)
    assert (tmp_path / "text").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "run" / "lock.json").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o750


def test_second_job_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    first = hold(path)
    try:
        with pytest.raises(UserError, match=rf"another job \(host .*, process {first.pid}"):
            RunLock(path).acquire()
        assert f"process {first.pid}" in RunLock(path).holder()
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert RunLock(path).holder() == ""
    lock = RunLock(path)
    assert f"process {first.pid}" in lock.acquire()
    assert f"process {os.getpid()}" in lock.holder()
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_of_many_jobs_that_find_a_stale_lock_one_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    first = hold(path)
    first.kill()
    first.wait()
    start, got = threading.Barrier(8), []

    def take() -> None:
        start.wait()
        try:
            RunLock(path).acquire()
        except UserError:
            return
        got.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def elsewhere(path: Path, **facts: object) -> None:
    """Make the lock of a job on another host."""
    RunLock(path).acquire()
    values = {**json.loads(path.read_text()), "host": "node7", "place": "node7 x", "pid": 1, **facts}
    path.write_text(json.dumps(values))


def test_lock_of_another_host_is_stale_after_two_silent_minutes(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    elsewhere(path, job="123")
    with pytest.raises(UserError, match="host node7, process 1, job 123"):
        RunLock(path).acquire()
    long_ago = time.time() - 130
    os.utime(path, (long_ago, long_ago))
    assert "node7" in RunLock(path).acquire()


def test_lock_of_the_same_job_before_it_was_requeued_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock.json"
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    elsewhere(path)
    with pytest.raises(UserError, match="job 123"):
        RunLock(path).acquire()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert "node7" in RunLock(path).acquire()


def test_status_keeps_the_lock_alive_until_the_end(directory: RunDirectory) -> None:
    path = directory.path / "lock.json"
    os.utime(path, (1.0, 1.0))
    directory.write_status({"state": "running"})
    assert time.time() - path.stat().st_mtime < 60
    RunDirectory(directory.path).write_status({"state": FINISHED})
    assert not path.exists()


def test_the_lock_of_another_process_is_neither_touched_nor_released(directory: RunDirectory) -> None:
    directory.lock.release()
    path = directory.path / "lock.json"
    other = hold(path)
    try:
        os.utime(path, (1.0, 1.0))
        directory.write_status({"state": "running"})
        directory.write_status({"state": FINISHED})
        assert path.stat().st_mtime == 1.0
    finally:
        other.kill()
        other.wait()
