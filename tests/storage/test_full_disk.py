"""A disk that is full, or read-only for a while, costs no trial that was committed and none that fits later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from launching import Launcher
from store_killing import WRITER, aftermath, announced, layouts, wait_for
from write_trials import make_layout, make_metadata, make_result, make_trial

from mpi_automl.parallel.world import World
from mpi_automl.storage import writer
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.store import create_store
from mpi_automl.storage.verify import check, repair
from mpi_automl.trial import TrialKey


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small tmpfs takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@dataclass(frozen=True)
class Disk:
    """An ext4 of 32 MiB in a file, which can fail as a broken disk does."""

    image: Path
    place: Path

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.place)], check=True, capture_output=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=True)

    def turn_read_only(self) -> None:
        """Refuse every write from now on, also to files that are open, as ext4 does after an error of its device."""
        subprocess.run(["sync", "--file-system", str(self.place)], check=True)
        subprocess.run(["mount", "-o", "remount,abort", str(self.place)], check=True)


@pytest.fixture
def breakable_disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "image", tmp_path / "disk")
    disk.place.mkdir()
    with disk.image.open("wb") as image:
        image.truncate(32 * 2**20)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(disk.image)], check=True, capture_output=True)
        disk.mount()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting an ext4 from a file takes root and a loop device")
    yield disk
    disk.unmount()


@pytest.mark.parametrize("layout", layouts())
def test_a_file_system_that_turns_read_only(
    launch: Launcher, breakable_disk: Disk, tmp_path: Path, layout: str
) -> None:
    place, run = tmp_path / "announced", breakable_disk.place / "run"
    options = ["--layout", layout, "--keep", "300", "--strict", "--pause", "0.02", "--announce", place]
    with launch.start(2, "python", WRITER, run, "0", "150", *options) as job:
        wait_for(job, place, TrialKey(0, 1, 20))
        committed = announced(place)
        breakable_disk.turn_read_only()
        assert aftermath(run, committed).lost == ()
        done = job.wait(60)
    assert done.returncode != 0
    assert "refuses writes" in done.stdout
    assert not done.survivors
    breakable_disk.unmount()
    breakable_disk.mount()
    found = aftermath(run, committed)
    assert found.announced > 20
    assert found.lost == ()
    # A broken device may lose half of what was being written, but not of a trial that was said to be safe before.
    report = check(run)
    assert not {item.key for item in report.damaged} & set(committed)
    repair(run, report)
    assert aftermath(run, committed).problems == ()
    assert launch(2, "python", WRITER, run, "1", "10", *options[:-2]).returncode == 0
    assert aftermath(run, committed).lost == ()


def test_trials_wait_until_there_is_room(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.0)
    ballast = small_disk / "ballast"
    store = create_store(small_disk, 0, make_layout(1, 2000, 500), make_metadata(), World(None, 0.0))
    number = 0
    while store.uncommitted < 5:
        store.begin(make_trial(0, 0, number))
        store.write(make_result(make_trial(0, 0, number)))
        number += 1
        if number == 20:
            with ballast.open("wb") as file:
                file.write(bytes(64 * 1024))
    assert number > 20
    assert "space" in store.problem
    keys = RunReader(small_disk).keys
    assert [key.number for key in keys] == list(range(number - 5))
    report = check(small_disk)
    # A record that lies on two pages of the file may have got room for the first only.
    waiting = {f"record {n} of rank 0 in leg-0000.rank-0000.h5" for n in range(number - 5, number)}
    assert len(report.torn) <= 1
    assert set(report.torn) <= waiting
    assert replace(report, torn=[]).is_sound
    ballast.unlink()
    store.flush_if_due()
    assert store.uncommitted == 0
    assert store.problem == ""
    assert store.close() == 0
    assert check(small_disk).is_sound
    reader = RunReader(small_disk)
    assert [key.number for key in reader.keys] == list(range(number))
    last = next(key for key in reversed(reader.keys) if reader.has_predictions[reader.keys.index(key)])
    np.testing.assert_array_equal(reader.predictions([last])[0], make_result(make_trial(*last)).predictions)


@pytest.mark.parametrize("layout", layouts())
def test_disk_that_stays_full(launch: Launcher, small_disk: Path, tmp_path: Path, layout: str) -> None:
    place, options = tmp_path / "announced", ["--layout", layout, "--keep", "300", "--strict"]
    completed = launch(2, "python", WRITER, small_disk, "0", "300", *options, "--announce", place)
    assert completed.returncode == 0
    assert "uncommitted" in completed.stdout
    found = aftermath(small_disk, announced(place))
    assert found.announced > 20
    assert found.lost == found.problems == ()


@pytest.mark.parametrize("layout", layouts())
def test_no_room_for_the_store(launch: Launcher, small_disk: Path, layout: str) -> None:
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    completed = launch(2, "python", WRITER, small_disk, "0", "1", "--layout", layout)
    assert completed.returncode != 0
    assert "The store cannot be made" in completed.stdout
    assert "Traceback" not in completed.stderr


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = (
        make_result(make_trial(0, 0, 1)).predictions.nbytes + make_result(make_trial(0, 0, 1)).test_predictions.nbytes
    )
    monkeypatch.setattr(writer, "_HELD_BYTES", 3 * held)
    store = create_store(tmp_path, 0, make_layout(1, 100, 50), make_metadata(), World(None, 0.0))
    store._retry_at = float("inf")
    for number in range(10, 20):
        store.write(make_result(make_trial(0, 0, number)))
    assert store.uncommitted == 10
    assert store.close() == 0
    reader = RunReader(tmp_path)
    assert [key.number for key in reader.keys] == list(range(10, 20))
    assert [key.number for key in reader.best(100) if key.number < 16] == []
    assert len(reader.best(100)) == 3
