"""The outer splits: complete, stratified, the same every time, and made once."""

import numpy as np
import pandas as pd
import pytest
from small_study import STUDY

from mpi_automl.errors import UserError
from mpi_automl.study.splits import outer_parts


def parts_of(plan, place, table="classes"):
    """Parts of each fold of one table's first seed and variant."""
    runs = [run for run in plan.runs if run.table.name == table and run.seed == 1]
    runs = [run for run in runs if run.variant.name == runs[0].variant.name]
    return [outer_parts(run.table, run.split, run.fold, place / "splits") for run in runs]


def test_a_holdout_has_its_share_of_every_class(place, plan_of):
    (parts,) = parts_of(plan_of(), place)
    assert (len(parts.train), len(parts.test)) == (60, 30)
    whole = pd.read_csv(place / "tables" / "classes.csv")
    share = (whole["y"] == "yes").mean()
    assert (parts.test.targets["y"] == "yes").mean() == pytest.approx(share, abs=0.03)
    together = pd.concat([parts.train.features, parts.test.features])
    assert sorted(together["a"]) == sorted(whole["a"])


def test_the_folds_test_every_row_once(place, plan_of):
    text = STUDY.replace("[settings]", '[split]\nmethod = "cv"\nfolds = 3\n[settings]')
    parts = parts_of(plan_of(text), place, "numbers")
    tested = pd.concat([part.test.features for part in parts])
    assert len(parts) == 3 and sorted(tested["a"]) == sorted(pd.read_csv(place / "tables" / "numbers.csv")["a"])


def test_groups_stay_together(place, plan_of):
    text = STUDY.replace('target = "y"', 'target = "y"\ngroups = "colour"')
    (parts,) = parts_of(plan_of(text), place)
    assert not set(parts.train.features["colour"]) & set(parts.test.features["colour"])


def test_rows_without_a_target_are_left_out_only_when_asked(place, plan_of):
    path = place / "tables" / "classes.csv"
    table = pd.read_csv(path)
    table.loc[:9, "y"] = np.nan
    table.to_csv(path, index=False)
    with pytest.raises(UserError, match="missing in 10 rows"):
        parts_of(plan_of(), place)
    (parts,) = parts_of(plan_of(STUDY.replace('target = "y"', 'target = "y"\ndrop_missing_targets = true')), place)
    assert len(parts.train) + len(parts.test) == 80


def test_given_splits_are_taken_as_they_are(place, plan_of):
    (place / "splits").mkdir()
    for name in ("classes", "numbers"):
        rows = pd.DataFrame({"fold": [0, 0, 1, 1, 1], "row": [3, 5, 7, 8, 9]})
        rows.to_csv(place / "splits" / f"{name}.csv", index=False)
    text = STUDY.replace("[settings]", '[split]\nfiles = "splits/{table}.csv"\n[settings]')
    plan = plan_of(text)
    first, second = parts_of(plan, place)
    whole = pd.read_csv(place / "tables" / "classes.csv")
    assert first.test.features["a"].tolist() == whole["a"][[3, 5]].tolist()
    assert (len(first.train), len(second.test), len(second.train)) == (88, 3, 87)
    parted = pd.DataFrame({"fold": 0, "row": [0, 1, 2], "part": ["TRAIN", "train", "TEST"]})
    parted.to_csv(place / "splits" / "classes.csv", index=False)
    again = plan_of(text)
    (parts,) = parts_of(again, place)
    assert (len(parts.train), len(parts.test)) == (2, 1)
    assert again.runs[0].id != plan.runs[0].id
    pd.DataFrame({"fold": [0], "row": [90]}).to_csv(place / "splits" / "classes.csv", index=False)
    with pytest.raises(UserError, match="count from 0 to 89"):
        parts_of(plan_of(text), place)
    pd.DataFrame({"rows": [90]}).to_csv(place / "splits" / "classes.csv", index=False)
    with pytest.raises(UserError, match="no column fold"):
        plan_of(text)


def test_a_split_is_made_once(place, plan_of):
    plan = plan_of()
    (first,) = parts_of(plan, place)
    (file,) = (place / "splits").glob("*.npz")
    made = file.stat().st_mtime_ns
    (second,) = parts_of(plan, place)
    assert file.stat().st_mtime_ns == made
    assert first.test.features.equals(second.test.features)


def test_a_table_that_has_changed_meanwhile_is_not_used(place, plan_of):
    plan = plan_of()
    (place / "tables" / "classes.csv").write_text("a,y\n1,yes\n2,no\n")
    with pytest.raises(UserError, match="has changed since the study was planned"):
        parts_of(plan, place)
