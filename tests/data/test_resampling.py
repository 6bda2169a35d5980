"""Splits: one for the job, stratified, and never without a class in training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.load import make_task
from mpi_automl.data.prepare import Task
from mpi_automl.data.resampling import Resampling, make_resampling
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings

rng = np.random.default_rng(0)


def task_of(y: object, groups: object = None, **options: object) -> Task:
    X = pd.DataFrame({"a": rng.normal(size=len(y)), "b": rng.normal(size=len(y))})
    if groups is not None:
        X["group"] = groups
    return make_task(X, y, settings=Settings(groups=None if groups is None else "group", **options))


def check(resampling: Resampling, n_rows: int, *, partition: bool = False) -> None:
    for fold in resampling.folds:
        assert fold.train.dtype == fold.validation.dtype == np.int64
        assert np.all(np.diff(fold.train) > 0) and np.all(np.diff(fold.validation) > 0)
        assert not np.intersect1d(fold.train, fold.validation).size
        assert len(fold.train) and len(fold.validation) and max(fold.train[-1], fold.validation[-1]) < n_rows
        if partition:
            assert len(fold.train) + len(fold.validation) == n_rows
    validated = np.unique(np.concatenate([fold.validation for fold in resampling.folds]))
    np.testing.assert_array_equal(resampling.validation_rows, validated)


NAMES = ("holdout", "cv", "repeated-cv", "time-series", "sklearn.model_selection:ShuffleSplit(n_splits=3)")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["classes", "values", "labels"])
def test_folds_are_sound_and_depend_on_the_seed_alone(name: str, kind: str) -> None:
    y = {"classes": rng.integers(0, 4, 200), "values": rng.normal(size=200), "labels": rng.integers(0, 2, (200, 3))}[
        kind
    ]
    task = task_of(y)
    first, again = (make_resampling(task, Settings(resampling=name, time=time)) for time in (60, 90))
    other = make_resampling(task, Settings(resampling=name, seed=2))
    check(first, 200)
    assert first.name == name
    for fold, same in zip(first.folds, again.folds, strict=True):
        np.testing.assert_array_equal(fold.validation, same.validation)
    same_as_other = all(
        np.array_equal(a.validation, b.validation) for a, b in zip(first.folds, other.folds, strict=True)
    )
    assert same_as_other == (name == "time-series")


@pytest.mark.parametrize(
    ("name", "leaves"),
    [
        ("holdout", True),
        ("cv", False),
        ("repeated-cv", False),
        ("time-series", True),
        ("sklearn.model_selection:ShuffleSplit(n_splits=3)", False),
        ("sklearn.model_selection:ShuffleSplit(n_splits=1)", True),
    ],
)
def test_rows_that_no_model_of_a_fold_has_learned(name: str, leaves: bool) -> None:
    assert make_resampling(task_of(rng.normal(size=200)), Settings(resampling=name)).leaves_rows_unlearned == leaves


def test_holdout_is_stratified_and_of_the_asked_size() -> None:
    y = np.repeat([0, 1, 2], [600, 90, 10])
    for share in (0.1, 0.33, 0.8):
        (fold,) = make_resampling(task_of(y), Settings(resampling="holdout", holdout_share=share)).folds
        counts = np.bincount(y[fold.validation], minlength=3)
        assert np.all(np.abs(counts - share * np.array([600, 90, 10])) <= 1.5)
        assert abs(len(fold.validation) - share * 700) <= 2


@pytest.mark.parametrize(("rows", "expected"), [(3_000, 990), (60_000, 19_800), (100_000, 30_000), (500_000, 50_000)])
def test_a_holdout_of_a_large_table_is_a_smaller_share(rows: int, expected: int) -> None:
    (fold,) = make_resampling(task_of(np.arange(rows) % 2), Settings(resampling="holdout")).folds
    assert len(fold.validation) == pytest.approx(expected, abs=1)


def test_cross_validation_is_a_stratified_partition() -> None:
    y = np.repeat([0, 1, 2], [53, 31, 7])
    resampling = make_resampling(task_of(y), Settings(resampling="cv", folds=5))
    check(resampling, len(y), partition=True)
    np.testing.assert_array_equal(resampling.validation_rows, np.arange(len(y)))
    counts = np.array([np.bincount(y[fold.validation], minlength=3) for fold in resampling.folds])
    assert np.all(np.ptp(counts, axis=0) <= 1)


def test_repeated_cross_validation_validates_each_row_once_in_each_repetition() -> None:
    resampling = make_resampling(task_of(np.arange(60) % 2), Settings(resampling="repeated-cv", folds=4, repeats=3))
    assert len(resampling.folds) == 12
    for start in (0, 4, 8):
        rows = np.concatenate([fold.validation for fold in resampling.folds[start : start + 4]])
        np.testing.assert_array_equal(np.sort(rows), np.arange(60))
    assert not np.array_equal(resampling.folds[0].validation, resampling.folds[4].validation)


@pytest.mark.parametrize("name", ["holdout", "cv", "repeated-cv"])
@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_ever_missing_from_training(name: str, seed: int) -> None:
    y = np.r_[np.zeros(30, int), np.ones(25, int), 2, 3, 3, 4, 4, 4]
    resampling = make_resampling(task_of(y), Settings(resampling=name, seed=seed, holdout_share=0.6))
    check(resampling, len(y))
    for fold in resampling.folds:
        assert set(y[fold.train]) == {0, 1, 2, 3, 4}
    assert 55 not in resampling.validation_rows


def test_a_label_with_a_single_row_stays_in_training() -> None:
    y = rng.integers(0, 2, (80, 3))
    y[:, 2] = 0
    y[17, 2] = 1
    resampling = make_resampling(task_of(y), Settings(resampling="cv"))
    assert all(17 in fold.train for fold in resampling.folds)


@pytest.mark.parametrize("name", ["auto", "group", "cv", "holdout"])
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_groups_stay_together(name: str, kind: str) -> None:
    groups = np.repeat(np.arange(24), 5)
    y = rng.integers(0, 2, 120) if kind == "classes" else rng.normal(size=120)
    resampling = make_resampling(task_of(y, groups), Settings(resampling=name))
    check(resampling, 120, partition=True)
    for fold in resampling.folds:
        assert not set(groups[fold.train]) & set(groups[fold.validation])


def test_rows_without_group_are_groups_of_their_own() -> None:
    task = task_of(np.arange(40) % 2, [None, "a"] * 20)
    assert task.groups is not None and len(np.unique(task.groups)) == 21


def test_time_series_never_trains_on_the_future() -> None:
    resampling = make_resampling(task_of(rng.normal(size=50)), Settings(resampling="time-series", folds=4))
    assert len(resampling.folds) == 4
    for fold in resampling.folds:
        assert fold.train.max() < fold.validation.min()


def test_groups_go_to_the_splitter() -> None:
    groups = np.repeat(np.arange(10), 6)
    path = "sklearn.model_selection:LeaveOneGroupOut"
    resampling = make_resampling(task_of(np.arange(60) % 2, groups), Settings(resampling=path))
    assert len(resampling.folds) == 10 and resampling.name == path


def test_a_validation_table_is_the_only_fold() -> None:
    task = task_of(np.arange(30) % 2)
    object.__setattr__(task, "fixed_validation", np.arange(20, 30))
    resampling = make_resampling(task, Settings(resampling="cv"))
    assert not resampling.leaves_rows_unlearned
    (fold,) = resampling.folds
    np.testing.assert_array_equal(fold.train, np.arange(20))
    np.testing.assert_array_equal(fold.validation, np.arange(20, 30))


@pytest.mark.parametrize(
    ("y", "name"),
    [
        (np.arange(1_000) % 2, "cv"),
        (np.arange(5_000) % 2, "holdout"),
        ((np.arange(5_000) % 100 == 0).astype(int), "cv"),
        ((np.arange(20_000) % 400 == 0).astype(int), "holdout"),
        (rng.normal(size=1_000), "cv"),
        (rng.normal(size=5_000), "holdout"),
    ],
)
def test_what_auto_chooses(y: np.ndarray, name: str) -> None:
    # In a trial of a fifth of a second; with more time, larger tables are cross-validated.
    assert make_resampling(task_of(y), Settings(time=1)).name == name


def test_auto_cross_validates_a_larger_table_where_a_trial_has_the_time() -> None:
    task = task_of(np.arange(5_000) % 2)
    cells = 5_000 * task.profile.n_columns
    short, long = cells / 1_000 - 1, cells / 1_000 + 1
    assert make_resampling(task, Settings(trial_time=short)).name == "holdout"
    assert make_resampling(task, Settings(trial_time=long)).name == "cv"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("group", "needs --groups COLUMN"),
        ("sklearn.model_selection:KFlod", "did you mean KFold"),
        ("nowhere_at_all:KFold", "cannot be imported"),
        ("sklearn.model_selection:KFold(n_splits=1)", "n_splits=1"),
        ("sklearn.model_selection:KFold(shape=1)", "shape"),
        ("sklearn.model_selection:KFold(n_splits=[)", "cannot be read"),
        ("sklearn.model_selection:KFold(n_splits=int('3'))", "cannot be read"),
        ("sklearn.model_selection:KFold(n_splits=99)", "cannot split this table"),
        ("sklearn.model_selection:train_test_split", "resampling"),
        ("sklearn.model_selection:LeaveOneGroupOut", "cannot split this table"),
    ],
)
def test_what_cannot_be_split_is_a_sentence(name: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        make_resampling(task_of(np.arange(20) % 2), Settings(resampling=name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["holdout", "cv", "time-series"])
def test_tables_that_are_too_small(name: str) -> None:
    task = make_task([[0.0], [1.0], [2.0]], [0, 1, 0])
    for attribute in ("y", "X"):
        object.__setattr__(task, attribute, getattr(task, attribute)[:1])
    with pytest.raises(UserError, match="too small"):
        make_resampling(task, Settings(resampling=name))


def test_time_series_with_groups_is_refused() -> None:
    with pytest.raises(UserError, match="leave --groups out"):
        make_resampling(task_of(np.arange(20) % 2, np.arange(20) // 4), Settings(resampling="time-series"))
