"""Runs, their ids and their cost."""

import shutil

import pytest
from small_study import STUDY

import mpi_automl
from mpi_automl.errors import UserError
from mpi_automl.study.definition import read_study
from mpi_automl.study.plan import StudyPlan, longest_first, make_plan, wall_seconds


def ids(plan):
    return [run.id for run in plan.runs]


def test_every_combination_is_a_run_of_its_own(plan_of):
    plan = plan_of()
    assert len(plan.runs) == len(set(ids(plan))) == 2 * 2 * 2
    assert {run.table.name for run in plan.runs} == {"classes", "numbers"}
    assert {run.seed for run in plan.runs} == {1, 2}
    assert {run.settings.share for run in plan.runs} == {"history", "none"}
    assert plan.core_hours == pytest.approx(8 * 12 * 2 / 3600)
    assert StudyPlan.from_json(plan.to_json()) == plan


def test_equal_inputs_have_equal_ids_however_they_are_written(place, plan_of):
    before = ids(plan_of())
    assert ids(plan_of(STUDY.replace("[variants.all]", "[variants.everything]"))) == before
    assert ids(plan_of(STUDY.replace("trials = 2", "trials = 2\nthreads = 1\nensemble-size = 50"))) == before
    assert ids(plan_of(STUDY.replace('time = "12s"', "time = 12.0"))) == before
    assert ids(plan_of(STUDY.replace('share = "history"', ""))) == before
    shutil.copytree(place / "tables", place / "elsewhere")
    assert ids(plan_of(STUDY.replace("tables/", "elsewhere/"))) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("trials = 2", "trials = 3"),
        ('time = "12s"', 'time = "13s"'),
        ("ranks = 2", "ranks = 1"),
        ("seeds = 2", "seeds = [5, 6]"),
        ('target = "y"', 'target = "y"\ncategorical = ["colour"]'),
        ('target = "y"', 'target = "a"'),
        ("[settings]", "[split]\nshare = 0.2\n[settings]"),
        ("[settings]", "[split]\nseed = 7\n[settings]"),
        ("[settings]", '[split]\nmethod = "cv"\n[settings]'),
    ],
)
def test_a_changed_input_gives_new_ids(plan_of, before, after):
    assert not set(ids(plan_of())) & set(ids(plan_of(STUDY.replace(before, after))))


def test_a_changed_table_gives_new_ids_for_its_runs_alone(place, plan_of):
    before = plan_of()
    with (place / "tables" / "classes.csv").open("a") as file:
        file.write("1,2,3,4,red,yes\n")
    after = plan_of()
    same = {old.table.name for old, new in zip(before.runs, after.runs, strict=True) if old.id == new.id}
    assert same == {"numbers"}


def test_another_release_gives_new_ids_where_it_matters(place, plan_of, monkeypatch):
    (place / "adapter.sh").write_text("#!/bin/sh\n")
    text = STUDY + '[variants.mine]\nsystem = "./adapter.sh"\nversion = "1"\n'
    before = plan_of(text)
    monkeypatch.setattr(mpi_automl, "__version__", "99.0")
    after = plan_of(text)
    same = {old.variant.name for old, new in zip(before.runs, after.runs, strict=True) if old.id == new.id}
    assert same == {"mine"}
    assert not set(ids(after)) & set(ids(plan_of(text.replace('version = "1"', 'version = "2"')))[2::3])
    (place / "adapter.sh").write_text("#!/bin/sh\nexit 0\n")
    assert ids(plan_of(text))[2] != ids(after)[2]


def test_an_own_split_for_every_seed(plan_of):
    text = STUDY.replace("[settings]", '[split]\nseed = "run"\n[settings]')
    assert {run.split.options["seed"] for run in plan_of(text).runs} == {1, 2}
    assert {run.split.options["seed"] for run in plan_of().runs} == {1}


def test_what_takes_longest_comes_first(plan_of):
    text = STUDY.replace('share = "none"', 'share = "none"\ntime = "60s"')
    plan = plan_of(text)
    order = longest_first(plan.runs)
    assert [run.seconds for run in order] == [60.0] * 4 + [12.0] * 4
    assert wall_seconds(plan.runs, 1) == 288.0
    assert wall_seconds(plan.runs, 2) == 144.0
    assert wall_seconds(plan.runs, 100) == 60.0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("tables/*.csv", "tables/*.parquet", "no file fits"),
        ("tables/*.csv", "tables/class.csv", "there is no file"),
        ('target = "y"', 'target = "y"\nname = "one"', "is for one table, and its entry has 2"),
        ("[[tables]]", '[[tables]]\nfiles = "tables/classes.csv"\n[[tables]]', "2 tables are called classes"),
    ],
)
def test_tables_that_are_not_there(place, before, after, message):
    (place / "study.toml").write_text(STUDY.replace(before, after, 1))
    with pytest.raises(UserError, match=message):
        make_plan(read_study(place / "study.toml"))


@pytest.mark.parametrize(("before", "after"), [("trials = 2", 'threads = "auto"'), ('time = "12s"', 'time = "auto"')])
def test_cores_and_time_of_a_study_are_planned_before_it_starts(plan_of, before, after):
    with pytest.raises(UserError, match="a study needs a"):
        plan_of(STUDY.replace(before, after))
