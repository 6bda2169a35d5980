"""Permutation importance on tables whose columns are known to matter or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mpi_automl.data.load import make_task
from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.importance import column_positions, permutation_importance
from mpi_automl.metrics.registry import get_metric

RNG = np.random.default_rng(0)
X = RNG.random((300, 4))
Y = 3 * X[:, 0] + X[:, 2]
FORMS = {
    "array": X,
    "sparse": sparse.csr_matrix(X),
    "frame": pd.DataFrame(X, columns=["a", "b", "c", "d"], index=np.arange(300) * 2),
}


def predict(table):
    values = table.toarray() if sparse.issparse(table) else np.asarray(table)
    return (3 * values[:, 0] + values[:, 2])[:, None]


def importances(table, positions, **options):
    metric = get_metric("rmse", TaskType.REGRESSION)
    return permutation_importance(
        lambda table: metric.cost(Y, predict(table), TaskType.REGRESSION), table, positions, **options
    )


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_ranked_by_what_they_contribute(form):
    found = importances(FORMS[form], {"a": [0], "b": [1], "c": [2]})
    assert [entry.column for entry in found] == ["a", "c", "b"]
    assert found[0].mean == pytest.approx(3 * np.sqrt(2) * X[:, 0].std(), rel=0.1)
    assert found[-1].mean == pytest.approx(0.0, abs=1e-12)


def test_every_form_of_a_table_gives_the_same():
    found = [importances(table, {"a": [0], "c": [2, 3]}) for table in FORMS.values()]
    for other in found[1:]:
        assert [entry.column for entry in other] == [entry.column for entry in found[0]]
        assert [entry.mean for entry in other] == pytest.approx([entry.mean for entry in found[0]])


def test_shares_of_the_columns_give_the_result_of_all():
    whole = importances(X, {"a": [0], "b": [1], "c": [2]}, seed=4)
    parts = [*importances(X, {"c": [2]}, seed=4), *importances(X, {"a": [0], "b": [1]}, seed=4)]
    assert sorted(whole, key=lambda entry: entry.column) == sorted(parts, key=lambda entry: entry.column)


def test_the_table_is_left_as_it_was():
    before = X.copy()
    importances(X, {"a": [0]})
    assert np.array_equal(X, before)


def test_a_date_is_shuffled_as_a_whole():
    table = pd.DataFrame({"x": RNG.random(60), "day": pd.date_range("2024-01-01", periods=60)})
    task = make_task(table, RNG.random(60))
    positions = column_positions(task.schema)
    assert set(positions) == {"x", "day"}
    assert len(positions["day"]) > 1
    assert sorted(place for places in positions.values() for place in places) == list(range(task.X.shape[1]))
