"""Reports and bulletins survive their flat form."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpi_automl.parallel.messages import (
    Bulletin,
    Report,
    decode_bulletin,
    decode_report,
    encode_bulletin,
    encode_report,
)
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

_counts = st.integers(0, 2**40)
_floats = st.floats(allow_nan=False, allow_infinity=False, width=32)


def _updates(width):
    vectors = st.lists(_floats | st.just(float("nan")), min_size=width, max_size=width).map(np.array)
    keys = st.tuples(st.integers(0, 99), st.integers(0, 10**6), _counts).map(lambda key: TrialKey(*key))
    costs = _floats | st.just(float("nan"))
    return st.builds(
        TrialUpdate,
        keys,
        st.sampled_from(Status),
        costs,
        st.sampled_from(Origin),
        _floats,
        _floats,
        vectors,
    )


_trials = st.integers(1, 5).flatmap(lambda width: st.lists(_updates(width), max_size=4)).map(tuple)
_two_lists = st.integers(1, 5).flatmap(
    lambda width: st.tuples(*[st.lists(_updates(width), max_size=4).map(tuple) for _ in range(2)])
)


def _assert_same_trials(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.key == other.key
        assert (one.status, one.origin, one.budget, one.seconds) == (
            other.status,
            other.origin,
            other.budget,
            other.seconds,
        )
        np.testing.assert_equal(one.cost, other.cost)
        np.testing.assert_array_equal(one.vector, other.vector)


@given(st.builds(Report, _counts, _floats, _floats, _counts, st.booleans(), st.booleans(), _trials))
def test_a_report_survives(report):
    found = decode_report(encode_report(report))
    assert (found.rank, found.sent, found.busy_seconds, found.received, found.wants_stop, found.is_last) == (
        report.rank,
        report.sent,
        report.busy_seconds,
        report.received,
        report.wants_stop,
        report.is_last,
    )
    _assert_same_trials(found.trials, report.trials)


# A busy machine makes drawing slow.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(_counts, _floats, st.booleans(), st.booleans()), _two_lists)
def test_a_bulletin_survives(facts, lists):
    bulletin = Bulletin(*facts, *lists)
    found = decode_bulletin(encode_bulletin(bulletin))
    assert (found.number, found.sent, found.stop, found.is_last) == facts
    _assert_same_trials(found.trials, bulletin.trials)
    _assert_same_trials(found.promotions, bulletin.promotions)
