"""A small study that many tests plan."""

from __future__ import annotations

import pytest
from small_study import STUDY, write_tables

from mpi_automl.study.definition import read_study
from mpi_automl.study.plan import make_plan


@pytest.fixture
def place(tmp_path):
    """A directory with tables and ``study.toml``."""
    write_tables(tmp_path / "tables")
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def plan_of(place):
    """Plan a study, from the standard text or another one."""

    def plan(text: str = STUDY):
        (place / "study.toml").write_text(text)
        return make_plan(read_study(place / "study.toml"))

    return plan
