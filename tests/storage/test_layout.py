"""Sizes of a store, and which layout is chosen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from write_trials import make_layout, make_metadata, make_result, make_trial

from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World
from mpi_automl.settings import Settings
from mpi_automl.storage import disk, schema
from mpi_automl.storage.choice import LayoutChoice, StoreOptions, choose, file_system_of
from mpi_automl.storage.hdf5 import h5py, mpi_libraries
from mpi_automl.storage.sizes import StoreLayout, trials_for
from mpi_automl.storage.store import create_store

LAYOUT = StoreLayout(8, 1000, 200, 10_000, 0, 10, 118)
MAPS = """\
7f00-7f01 r-xp 00000000 fe:00 1   /usr/lib/x86_64-linux-gnu/openmpi/lib/libmpi.so.40.30.4
7f02-7f03 r--p 00000000 fe:00 1   /usr/lib/x86_64-linux-gnu/openmpi/lib/libmpi.so.40.30.4
7f04-7f05 r--p 00000000 fe:00 2   /usr/lib/x86_64-linux-gnu/libmpi_cxx.so.40
7f06-7f07 r--p 00000000 fe:00 3   /usr/lib/python3/mpi4py/MPI.cpython-311.so
7f08-7f09 rw-p 00000000 00:00 0
"""
OTHER = "7f10-7f11 r-xp 00000000 fe:00 4   /opt/venv with space/lib/libmpi.so.12.5.0\n"
MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/local\\040disk xfs rw 0 0
"""


def test_sizes() -> None:
    assert LAYOUT.prediction_nbytes == 10_000 * 10 * 4
    assert LAYOUT.record_nbytes == schema.record_dtype(0).itemsize + 118 * 8
    assert LAYOUT.nbytes == 8 * (1000 * LAYOUT.record_nbytes + 202 * 400_000)
    assert "best 200 of each rank" in LAYOUT.describe()


def test_file_is_as_large_as_stated_and_sparse(tmp_path: Path) -> None:
    layout = make_layout(1, 10_000, 1000)
    store = create_store(tmp_path, 0, layout, make_metadata(), World(None, 0.0))
    store.write(make_result(make_trial(0, 0, 0)))
    store.close()
    path = schema.rank_file(tmp_path, 0, 0)
    assert layout.nbytes < path.stat().st_size < layout.nbytes + 50_000
    assert disk.used(tmp_path) * 2**20 < 0.05 * layout.nbytes


def test_a_limit_takes_predictions_and_not_records() -> None:
    limited = LAYOUT.within(100)
    assert limited.nbytes <= 100 * 2**20 < limited.nbytes + 8 * 400_000
    assert limited.trials_per_rank == 1000
    assert LAYOUT.within(10_000) == LAYOUT
    with pytest.raises(UserError, match="--disk-limit"):
        LAYOUT.within(10)


def test_a_limit_is_dealt_out_to_store_and_models() -> None:
    plan = disk.deal_out(LAYOUT, 200)
    assert plan.layout.nbytes <= 100 * 2**20
    assert plan.models_per_rank * 8 + plan.layout.nbytes / 2**20 == pytest.approx(200)
    plan = disk.deal_out(LAYOUT, 200, taken=80)
    assert plan.models_per_rank * 8 + plan.layout.nbytes / 2**20 == pytest.approx(120)
    with pytest.raises(UserError, match="allow more with --disk-limit"):
        disk.deal_out(LAYOUT, 200, taken=300)
    assert disk.deal_out(LAYOUT, None) == disk.DiskPlan(LAYOUT, float("inf"))


def test_room_on_the_file_system(tmp_path: Path) -> None:
    assert disk.check_room(tmp_path, make_layout(1, 100, 10)) == ""
    assert "may come to need" in disk.check_room(tmp_path, StoreLayout(1, 10, 10**9, 10_000, 0, 10, 5))
    with pytest.raises(UserError, match="make room"):
        disk.check_room(tmp_path, StoreLayout(10**6, 10, 10, 10**8, 0, 10, 5))


def test_room_for_records_follows_the_time() -> None:
    assert trials_for(10) == 256
    assert trials_for(1000) == 2000
    assert trials_for(10**7) == 20_000


def choice(wanted: str = "auto", **facts: object) -> LayoutChoice:
    usual = {"ranks": 4, "parallel_hdf5": True, "mpi_libraries": frozenset({"/a/libmpi.so"}), "file_system": "lustre"}
    return choose(wanted, **{**usual, **facts})  # type: ignore[arg-type]


def test_choice_of_layout() -> None:
    assert choice().shared
    assert not choice(ranks=1).shared
    assert not choice(parallel_hdf5=False).shared
    assert not choice("per-rank").shared
    assert choice("shared", ranks=1).shared
    nfs = choice(file_system="nfs4")
    assert not nfs.shared
    assert "nfs4" in nfs.reason
    assert choice("shared", file_system="nfs4").shared


def test_two_mpi_libraries_in_one_process_are_noticed() -> None:
    libraries = mpi_libraries((MAPS + OTHER).splitlines())
    assert len(libraries) == 2
    assert len(mpi_libraries(MAPS.splitlines())) == 1
    found = choice(mpi_libraries=libraries)
    assert not found.shared
    assert "/opt/venv with space/lib/libmpi.so.12.5.0" in found.reason
    with pytest.raises(UserError, match="different MPI libraries"):
        choice("shared", mpi_libraries=libraries)


def test_file_system_of_a_path() -> None:
    assert file_system_of(Path("/home/someone/run"), MOUNTS) == "nfs4"
    assert file_system_of(Path("/home/local disk/run"), MOUNTS) == "xfs"
    assert file_system_of(Path("/homework"), MOUNTS) == "ext4"


def test_options_from_settings() -> None:
    settings = Settings(mpiio_hints="striping_unit=4194304,romio_ds_write=disable", alignment="4MiB", store="per-rank")
    options = StoreOptions.of(settings)
    assert options.hints == {"striping_unit": "4194304", "romio_ds_write": "disable"}
    assert options.alignment == (4 * 2**20, 4 * 2**20)
    assert StoreOptions.of(Settings()).alignment is None
    with pytest.raises(UserError, match="name=value"):
        StoreOptions.of(Settings(mpiio_hints="striping_unit"))


def test_alignment_places_large_datasets(tmp_path: Path) -> None:
    options = StoreOptions(alignment=(2**20, 2**20))
    create_store(tmp_path, 0, make_layout(1, 10_000, 2000), make_metadata(), World(None, 0.0), options=options).close()
    with h5py.File(schema.rank_file(tmp_path, 0, 0), "r") as file:
        assert file["predictions"].id.get_offset() % 2**20 == 0
        assert file["records"].id.get_offset() % 2**20 == 0


def test_disk_use_counts_a_file_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2**20))
    once = disk.used(tmp_path)
    assert 1 <= once < 1.1
    (tmp_path / "below").mkdir()
    os.link(tmp_path / "a", tmp_path / "below" / "b")
    assert disk.used(tmp_path) == once
