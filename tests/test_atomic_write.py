"""Files that appear in full or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mpi_automl.atomic_write import atomic_write, atomic_write_text, temporary_path


@pytest.mark.parametrize("durable", [False, True])
def test_file_is_replaced_in_full(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with atomic_write(path, durable=durable) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_link_to_the_file_itself_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    with atomic_write(path) as temporary:
        os.link(path, temporary)
    assert path.read_text() == "text"
    assert list(tmp_path.iterdir()) == [path]


def test_temporary_path_tells_processes_apart(tmp_path: Path) -> None:
    assert temporary_path(tmp_path / "file", 1) != temporary_path(tmp_path / "file", 2)
    assert temporary_path(tmp_path / "file") == temporary_path(tmp_path / "file", os.getpid())
