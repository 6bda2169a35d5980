"""Our own estimators, where they differ from those they are made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from mpi_automl.data.task import TaskType
from mpi_automl.evaluation.fitting import FitOptions, fit
from mpi_automl.space.component import Component
from mpi_automl.space.components import all_components
from mpi_automl.space.estimators.capped import CappedFeatureAgglomeration, CappedTruncatedSVD
from mpi_automl.space.estimators.clipped import ClippedMultinomialNB
from mpi_automl.space.estimators.feature_selection import SelectByRate, SelectShare, VariedColumns, chi2_of_amounts
from mpi_automl.space.estimators.pls import PLSScores
from mpi_automl.space.estimators.softmax import decision_probabilities
from mpi_automl.space.estimators.text import ColumnsOfText
from mpi_automl.space.estimators.unweighted_bins import UnweightedBinsClassifier
from mpi_automl.space.space import build_space

STAGED = [c for c in all_components() if c.properties.staged_fitting is not None]


@pytest.mark.parametrize("component", [pytest.param(c, id=c.key()) for c in STAGED])
def test_every_learner_with_staged_fitting_is_fitted_in_stages(
    component: Component, sample: Callable[[TaskType, str], Any]
) -> None:
    for package in component.properties.requires:
        pytest.importorskip(package)
    table = sample(TaskType.BINARY if component.step == "classifier" else TaskType.REGRESSION, "dense")
    space = build_space(table.profile, include=[component.key()])
    candidate = space.build(space.default_vector(), seed=0)
    stages = candidate.staged_fitting
    assert stages is not None
    steps: list[int] = []

    def on_stage() -> None:
        steps.append(int(candidate.pipeline.steps[-1][1].get_params()[stages.parameter]))
        if len(steps) == 2:
            raise InterruptedError

    try:
        fit(candidate, table.train, table.y_train, FitOptions(time.monotonic() + 1000.0, on_stage=on_stage), None)
    except InterruptedError:
        assert steps == [stages.start, 2 * stages.start]
    else:
        assert stages.finished(candidate.pipeline.steps[-1][1])


def test_columns_of_zeros_have_a_cosine() -> None:
    X = np.random.default_rng(0).normal(size=(20, 6))
    X[:, [1, 4]] = 0.0
    clusters = CappedFeatureAgglomeration(n_clusters=50, metric="cosine", linkage="average").fit(X)
    assert clusters.labels_.shape == (6,)
    assert clusters.n_clusters == 50


def test_a_reduction_gives_way_to_narrow_data() -> None:
    X = sparse.random(30, 4, density=0.5, format="csr", random_state=0)
    assert CappedTruncatedSVD(n_components=100, random_state=0).fit_transform(X).shape == (30, 3)


def test_amounts_below_zero_count_as_zero() -> None:
    X = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    y = np.array([0, 1, 0, 1])
    model = ClippedMultinomialNB().fit(X, y)
    np.testing.assert_allclose(model.predict_proba([[-5.0, 1.0]]), model.predict_proba([[0.0, 1.0]]))


def test_the_chi_squared_test_does_not_depend_on_an_offset() -> None:
    X = np.random.default_rng(0).uniform(size=(50, 3))
    y = (X[:, 0] > 0.5).astype(int)
    np.testing.assert_allclose(chi2_of_amounts(X - 7.0, y)[0], chi2_of_amounts(X, y)[0])


@pytest.mark.parametrize(
    "selector",
    [SelectShare(chi2_of_amounts, percentile=1.0), SelectByRate(chi2_of_amounts, mode="fwe", param=1e-300)],
)
def test_one_feature_is_always_kept(selector: Any) -> None:
    X = np.random.default_rng(0).uniform(size=(40, 5))
    y = np.arange(40) % 2
    assert selector.fit_transform(X, y).shape == (40, 1)


def test_constant_columns_go_unless_all_are_constant() -> None:
    X = np.array([[1.0, 5.0], [2.0, 5.0]])
    assert VariedColumns().fit_transform(X).shape == (2, 1)
    assert VariedColumns().fit_transform(X[:, 1:]).shape == (2, 1)


def test_decisions_become_probabilities() -> None:
    two = decision_probabilities(np.array([0.0, 100.0]))
    np.testing.assert_allclose(two, [[0.5, 0.5], [0.0, 1.0]], atol=1e-12)
    np.testing.assert_allclose(decision_probabilities(np.zeros((2, 4))), 0.25)


def test_bins_of_boosting_do_not_depend_on_weights() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y, weights = (X[:, 0] > 0).astype(int), np.where(X[:, 1] > 1, 50.0, 0.1)
    plain = UnweightedBinsClassifier(max_iter=4, random_state=0).fit(X, y)
    weighted = UnweightedBinsClassifier(max_iter=4, random_state=0).fit(X, y, sample_weight=weights)
    for ours, theirs in zip(weighted._bin_mapper.bin_thresholds_, plain._bin_mapper.bin_thresholds_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.allclose(weighted.predict_proba(X), plain.predict_proba(X))


def test_texts_without_a_term_are_no_error() -> None:
    texts = np.array([["!"], [None], ["?"]], dtype=object)
    assert ColumnsOfText(analyzer="word").fit_transform(texts).shape[0] == 3


def test_partial_least_squares_knows_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    X = rng.normal(size=(200, 10))
    X[:, 4] += 3.0 * y
    first = PLSScores(n_components=1).fit(X, y).transform(X)[:, 0]
    assert abs(np.corrcoef(first, X[:, 4])[0, 1]) > 0.9


def test_texts_in_scripts_without_blanks_are_told_apart_by_their_characters():
    rng = np.random.default_rng(0)
    filler = np.array(["今天", "天气", "我们", "公园", "音乐", "电影", "吃饭", "朋友"])
    good = rng.random(400) < 0.5
    texts = ["".join([*rng.choice(filler, 5), "很好" if g else "糟糕", *rng.choice(filler, 5)]) for g in good]
    X = np.array(texts, dtype=object).reshape(-1, 1)
    encoder = ColumnsOfText(analyzer="word").fit(X[:300])
    learner = LogisticRegression(C=100).fit(encoder.transform(X[:300]), good[:300])
    assert learner.score(encoder.transform(X[300:]), good[300:]) > 0.95
    assert "weather" in ColumnsOfText().fit(np.array([["fine weather"]], dtype=object)).vectorizers_[0].vocabulary_
