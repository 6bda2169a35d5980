"""One copy of the data for all processes of a node."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mpi_automl.data.load import make_task
from mpi_automl.data.prepare import Task
from mpi_automl.data.shared import map_packed, pack, packed_size, write_packed

N = 3_000


def tasks() -> dict[str, Task]:
    rng = np.random.default_rng(0)
    words = pd.Series([f"a few words and the number {i}" for i in range(N)])
    frame = pd.DataFrame({"a": rng.normal(size=N), "t": words, "c": rng.choice(["x", "y"], N)})
    y = rng.integers(0, 3, N)
    return {
        "dense": make_task(rng.normal(size=(N, 5)), y, X_test=rng.normal(size=(7, 5))),
        "sparse": make_task(sparse.random(N, 40, 0.2, format="csr", random_state=0), y),
        "text": make_task(frame, y),
    }


def written(path: Path, obj: object) -> tuple[bytes, list[memoryview]]:
    header, buffers = pack(obj)
    write_packed(path, header, buffers)
    return header, buffers


@pytest.mark.parametrize("name", ["dense", "sparse", "text"])
def test_a_task_comes_back_equal_and_read_only(tmp_path: Path, name: str) -> None:
    task = tasks()[name]
    path = tmp_path / "packed"
    header, buffers = written(path, task)
    assert path.stat().st_size == packed_size(header, buffers)
    assert len(header) < 10_000 < sum(buffer.nbytes for buffer in buffers)
    copy = map_packed(path)
    assert copy.digest == task.digest and copy.profile == task.profile
    assert copy.schema.to_json() == task.schema.to_json()
    if name == "text":
        pd.testing.assert_frame_equal(copy.X, task.X)
        assert not copy.X["a"].to_numpy().flags.writeable
    else:
        stored, original = (getattr(X, "data" if name == "sparse" else "view") for X in (copy.X, task.X))
        stored, original = (part if isinstance(part, np.ndarray) else part() for part in (stored, original))
        np.testing.assert_array_equal(stored, original)
        assert not stored.flags.writeable and not copy.y.flags.writeable


def test_arrays_point_into_the_map_at_multiples_of_64_bytes(tmp_path: Path) -> None:
    arrays = [np.arange(n, dtype=dtype) for n, dtype in ((1, np.int8), (999, np.float32), (5, np.float64))]
    path = tmp_path / "packed"
    written(path, arrays)
    copies = map_packed(path)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(copy, array)
        assert copy.ctypes.data % 64 == 0
    with path.open("r+b") as file:
        place = path.read_bytes().index(arrays[1].tobytes())
        file.seek(place)
        file.write(np.float32(77).tobytes())
    assert copies[1][0] == 77, "the array is a copy, not the map itself"


def test_empty_and_fortran_arrays(tmp_path: Path) -> None:
    arrays = {"empty": np.empty((0, 3)), "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4))}
    written(tmp_path / "packed", arrays)
    copies = map_packed(tmp_path / "packed")
    assert copies["empty"].shape == (0, 3) and copies["fortran"].flags.f_contiguous
    np.testing.assert_array_equal(copies["fortran"], arrays["fortran"])


def test_the_file_is_private_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    before = os.umask(0)
    try:
        written(path, np.arange(5))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        written(path, np.arange(6))
    assert map_packed(path).shape == (5,)


def test_the_arrays_outlive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    written(path, np.arange(10_000))
    array = map_packed(path)
    path.unlink()
    assert array.sum() == 49_995_000


def test_a_full_file_system_is_an_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            written(tmp_path / "packed", np.zeros(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_other_and_cut_off_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    written(path, np.arange(10_000))
    content = path.read_bytes()
    for wrong in (b"", b"short", pickle.dumps(5), content[:3_000], b"x" + content[1:]):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="packed"):
            map_packed(path)
