"""Bootstrap intervals against SciPy's, and their coverage on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from mpi_automl.errors import UserError
from mpi_automl.metrics.bootstrap import Bootstrap, RowWeights, interval


def replicates_of_mean(values, options):
    sets = RowWeights(len(values), options)
    return np.array([sets[number] @ values / sets[number].sum() for number in range(len(sets))])


@pytest.mark.parametrize("kind", ["BCa", "percentile"])
def test_intervals_are_those_of_scipy(kind):
    values = np.random.default_rng(3).exponential(size=80)
    options = Bootstrap(level=0.9, resamples=2000)
    found = interval(values.mean(), replicates_of_mean(values, options), options)
    expected = scipy_bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=20_000, method=kind, random_state=1
    ).confidence_interval
    name = kind.lower()
    low, high = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
    # Two bootstraps differ by their resamples; BCa and percentile differ by more than this here.
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.015)


def test_bca_is_exactly_scipys_for_the_same_resamples():
    values = np.random.default_rng(3).exponential(size=80)
    options = Bootstrap(resamples=500)
    replicates = replicates_of_mean(values, options)
    given = type("Given", (), {"bootstrap_distribution": replicates[:500]})()
    expected = scipy_bootstrap((values,), np.mean, n_resamples=0, bootstrap_result=given, method="BCa")
    found = interval(values.mean(), replicates, options)
    assert (found.bca_low, found.bca_high) == pytest.approx(tuple(expected.confidence_interval))


def test_nine_of_ten_intervals_of_a_share_hold_the_truth():
    options, hits = Bootstrap(level=0.9, resamples=300), 0
    rng = np.random.default_rng(0)
    for _ in range(200):
        values = (rng.random(120) < 0.7).astype(float)
        found = interval(values.mean(), replicates_of_mean(values, options), options)
        hits += found.bca_low <= 0.7 <= found.bca_high
    assert 0.84 <= hits / 200 <= 0.96


def test_a_group_of_rows_is_left_out_once():
    sets = RowWeights(1000, Bootstrap(resamples=100))
    left_out = sum(1 - sets[number] for number in range(100, len(sets)))
    assert len(sets) == 300
    assert (left_out == 1).all()
    assert all(sets[number].sum() == 1000 for number in range(100))


def test_undefined_resamples_are_left_out_unless_they_are_most():
    options = Bootstrap(resamples=100)
    replicates = np.r_[np.linspace(0, 1, 100), np.zeros(20)]
    some, most = replicates.copy(), replicates.copy()
    some[:100:4], most[:60] = np.nan, np.nan
    assert interval(0.5, some, options).percentile_low == pytest.approx(0.03, abs=0.02)
    assert np.isnan(interval(0.5, most, options).percentile_low)
    assert np.isnan(interval(np.nan, replicates, options).bca_low)
    assert np.isnan(interval(2.0, replicates, options).bca_low)


@pytest.mark.parametrize("wrong", [{"level": 95}, {"level": 0.0}, {"resamples": 7}, {"seed": -1}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(UserError, match="must be"):
        Bootstrap(**wrong)
