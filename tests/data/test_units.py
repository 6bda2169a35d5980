"""The units in which numeric targets are learned: any centre and any scale that float64 can express."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.load import make_task
from mpi_automl.data.schema import Schema
from mpi_automl.data.units import TargetUnits
from mpi_automl.errors import UserError

S = np.random.default_rng(0).normal(size=400)
FAR = [(0.0, 1.0), (1.7e9, 10.0), (1.7e12, 1e4), (-1e15, 1.0), (2.46e6, 0.04), (5.0, 1e-12), (0.0, 1e20), (0.0, 1e-9)]
EXTREME = [(0.0, 1e300), (0.0, 4e307), (1e300, 1e290), (0.0, 1e-300), (0.0, 5e-324)]


@pytest.mark.parametrize(("center", "scale"), FAR + EXTREME)
def test_float32_holds_standardised_values_and_nothing_is_lost_on_the_way(center: float, scale: float) -> None:
    values = center + scale * S
    units = TargetUnits.of(values)
    standardised = units.standardise(values)
    np.testing.assert_array_equal(units.restore(standardised), values)
    assert np.abs(standardised).max() < 100
    stored = units.restore(standardised.astype(np.float32))
    resolution = np.spacing(np.abs(values)).max()
    assert np.abs(stored / 4 - values / 4).max() <= (2e-6 * np.ptp(values / 8) + resolution)


@pytest.mark.parametrize(("center", "scale"), FAR[:-2])
def test_spread_is_near_one(center: float, scale: float) -> None:
    values = center + scale * S
    assert 0.3 < TargetUnits.of(values).standardise(values).std() < 3


def test_an_outlier_does_not_squash_the_rest() -> None:
    values = np.append(S, [1e9])
    standardised = TargetUnits.of(values).standardise(values)
    assert 0.3 < standardised[:-1].std() < 3
    assert np.isfinite(np.float32(standardised).astype(np.float32) ** 2).all()


@pytest.mark.parametrize("values", [[0.0] * 90 + [7.0] * 10, [1e-9] * 10 + [1e30], [-1.7e308, 1.7e308, 1e308], [3, 4]])
def test_odd_targets_have_a_scale(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    units = TargetUnits.of(array)
    assert units.scale[0] >= np.finfo(np.float64).tiny and np.isfinite(units.scale[0])
    np.testing.assert_allclose(units.restore(units.standardise(array)), array)
    assert np.square(units.standardise(array).astype(np.float32)).sum() < 1e30


def test_zero_and_signs_stay() -> None:
    values = np.append(np.exp(S), [0.0, 1e-30])
    units = TargetUnits.of(values)
    assert units.center == (0.0,) and units.least == (1e-30,)
    assert (units.restore(units.standardise(values)) == values).all()


def test_the_schema_keeps_the_units_and_tables_of_other_units_are_other_tables() -> None:
    X = np.column_stack([S, S**2])
    y = np.column_stack([1.7e9 + 10 * S, 1e-9 * S])
    task = make_task(X, y)
    schema = Schema.from_json(task.schema.to_json())
    assert schema.units == task.schema.units
    np.testing.assert_array_equal(schema.restore(task.y), y)
    np.testing.assert_array_equal(schema.decode(task.y), y)
    np.testing.assert_array_equal(schema.encode_target(y), task.y)
    assert make_task(X, y * 2).digest != task.digest
    assert make_task(X, S > 0).schema.units is None


def test_an_infinite_target_is_refused() -> None:
    with pytest.raises(UserError, match="must have numbers; row 3 has inf"):
        make_task(pd.DataFrame({"a": S}), np.where(np.arange(400) == 2, np.inf, S))
