"""Damage is found and named, mended only on request, and never makes the rest unreadable."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from write_trials import make_layout, make_metadata, make_result, make_trial

from mpi_automl.cli.main import entry
from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World
from mpi_automl.storage import schema
from mpi_automl.storage.hdf5 import h5py
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_lock import RunLock
from mpi_automl.storage.store import create_store
from mpi_automl.storage.verify import check, repair
from mpi_automl.trial import TrialKey


@pytest.fixture
def run(tmp_path: Path) -> Path:
    store = create_store(tmp_path, 0, make_layout(1, 20, 10), make_metadata(), World(None, 0.0))
    for number in range(8):
        store.begin(make_trial(0, 0, number))
        store.write(make_result(make_trial(0, 0, number)))
    assert store.close() == 0
    return tmp_path


def flip_a_byte(path: Path, dataset: str, index: tuple[int, ...]) -> None:
    with h5py.File(path, "r") as file:
        values = file[dataset]
        inner = int(np.prod(values.shape[len(index) :], dtype=int)) * values.dtype.itemsize
        position = values.id.get_offset() + int(np.ravel_multi_index(index, values.shape[: len(index)])) * inner + 50
    with path.open("r+b") as raw:
        raw.seek(position)
        byte = raw.read(1)[0]
        raw.seek(position)
        raw.write(bytes([byte ^ 1]))


def test_damaged_predictions(run: Path) -> None:
    reader = RunReader(run)
    key = reader.best(1)[0]
    slot = int(reader.records["slot"][reader.keys.index(key)])
    flip_a_byte(schema.rank_file(run, 0, 0), "predictions", (0, slot))
    report = check(run)
    assert [item.key for item in report.damaged] == [key]
    assert not report.is_sound
    assert f"damaged: predictions of trial {key} in leg-0000.rank-0000.h5" in report.lines()
    assert key not in RunReader(run).best(100)
    with pytest.raises(UserError, match="damaged"):
        RunReader(run).predictions([key])


def test_repair_writes_down_what_it_changes(run: Path) -> None:
    best = RunReader(run).best(100)
    slot = int(RunReader(run).records["slot"][best[0].number])
    flip_a_byte(schema.rank_file(run, 0, 0), "predictions", (0, slot))
    old = RunReader(run).records[best[0].number]["predictions_checksum"]
    assert any(str(best[0]) in line for line in repair(run, check(run)))
    assert check(run).is_sound
    after = RunReader(run)
    assert after.best(100) == best[1:]
    assert len(after) == 8
    (journal,) = (run / "store").glob("repair-*.json")
    assert int(old).to_bytes(4, "little").hex() in journal.read_text()
    assert repair(run, check(run)) == []


def test_damaged_record(run: Path) -> None:
    flip_a_byte(schema.rank_file(run, 0, 0), "records", (0, 3))
    report = check(run)
    assert report.torn == ["record 3 of rank 0 in leg-0000.rank-0000.h5"]
    assert report.committed == 7
    assert TrialKey(0, 0, 3) not in RunReader(run).keys


def test_damaged_vector(run: Path) -> None:
    flip_a_byte(schema.rank_file(run, 0, 0), "vectors", (0, 2))
    assert check(run).torn == ["record 2 of rank 0 in leg-0000.rank-0000.h5"]


def test_master_is_made_anew(run: Path) -> None:
    before = RunReader(run)
    master = schema.main_file(run, 0)
    master.rename(run / "elsewhere.h5")
    report = check(run)
    assert report.masters == [0]
    assert not report.is_sound
    assert repair(run, report) == ["Leg 0 has a master again."]
    after = RunReader(run)
    assert after.keys == before.keys
    assert after.metadata() == before.metadata()
    np.testing.assert_array_equal(after.truth(), before.truth())
    with h5py.File(master, "r") as file:
        assert file["records"][0, 7]["number"] == 7
    assert check(run).is_sound


def test_missing_file_of_a_rank(run: Path) -> None:
    schema.rank_file(run, 0, 0).rename(run / "elsewhere.h5")
    report = check(run)
    assert len(report.unreadable) == 1
    assert "leg-0000.rank-0000.h5 is missing" in report.unreadable[0]


def test_truncated_file(run: Path) -> None:
    path = schema.rank_file(run, 0, 0)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    report = check(run)
    assert len(report.unreadable) == 1
    assert "cannot be read" in report.unreadable[0]


def test_the_rest_is_read_when_a_file_is_not(run: Path) -> None:
    store = create_store(run, 1, make_layout(1, 20, 10), make_metadata(), World(None, 0.0))
    store.write(make_result(make_trial(1, 0, 0)))
    store.close()
    schema.rank_file(run, 0, 0).write_bytes(b"not HDF5")
    reader = RunReader(run)
    assert reader.keys == (TrialKey(1, 0, 0),)
    assert "leg-0000.rank-0000.h5 cannot be read" in reader.problems[0]
    schema.main_file(run, 0).write_bytes(b"")
    assert len(RunReader(run)) == 1
    schema.main_file(run, 1).write_bytes(b"")
    with pytest.raises(UserError, match="cannot be read"):
        RunReader(run)


def test_a_run_that_is_being_written_is_not_repaired(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPI4PY_RC_INITIALIZE", "0")
    lock = RunLock(run / "lock.json")
    lock.acquire()
    for words in (["verify", str(run)], ["verify", str(run), "--repair"]):
        with pytest.raises(SystemExit) as end:
            entry(words)
        assert end.value.code == (0 if len(words) == 2 else 2)
    assert "repair when it has ended" in capsys.readouterr().err
    lock.release()


def test_layout_that_was_cut_off_is_no_damage(run: Path) -> None:
    shutil.copy(schema.rank_file(run, 0, 0), schema.rank_file(run, 1, 0).with_suffix(".h5.part"))
    report = check(run)
    assert report.is_sound
    assert report.unfinished == [run / "store" / "leg-0001.rank-0000.h5.part"]


def test_other_files_are_not_taken_for_a_store(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with h5py.File(schema.main_file(tmp_path, 0), "w") as file:
        file["x"] = 1
    with pytest.raises(UserError, match="not a store"):
        RunReader(tmp_path)
    with pytest.raises(UserError, match="no store"):
        check(tmp_path / "store")
