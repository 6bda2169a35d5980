"""What is inside the pipelines."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.space.component import Context, StagedFitting
from mpi_automl.space.components import find_component
from mpi_automl.space.pipeline import Candidate
from mpi_automl.space.space import build_space

Samples = Callable[[TaskType, str], Any]


def built(sample: Samples, *include: str, task: TaskType = TaskType.BINARY, form: str = "mixed") -> Candidate:
    table = sample(task, form)
    space = build_space(table.profile, include=include)
    return space.build(space.default_vector(), seed=1)


NATIVE = ("classifier:gradient_boosting", "categorical_encoding:no_encoding", "category_coalescence:no_coalescence")


def test_category_codes_are_told_to_learners_that_know_them(sample: Samples) -> None:
    candidate = built(sample, *NATIVE, "feature_preprocessor:no_preprocessing", "imputation:no_imputation")
    learner = candidate.pipeline.steps[-1][1]
    table = sample(TaskType.BINARY, "mixed")
    assert learner.categorical_features == [0, 1]
    arriving = candidate.pipeline[:-1].fit_transform(table.train, table.y_train)
    codes = table.train[:, 3]
    assert set(np.unique(arriving[:, 0])) == {-1.0, 0.0, 1.0, 2.0}
    assert np.isnan(arriving[:, 2:]).any()
    np.testing.assert_array_equal(arriving[~np.isnan(codes), 0], codes[~np.isnan(codes)])


@pytest.mark.parametrize(
    "include",
    [
        (NATIVE[0], "categorical_encoding:encoding", "feature_preprocessor:no_preprocessing"),
        (*NATIVE, "feature_preprocessor:pca"),
    ],
)
def test_numbers_made_of_categories_are_not(sample: Samples, include: tuple[str, ...]) -> None:
    assert built(sample, *include).pipeline.steps[-1][1].categorical_features is None


def test_new_and_missing_categories_and_numbers_are_predicted(sample: Samples) -> None:
    table = sample(TaskType.BINARY, "dense")
    for encoding in ("one_hot_encoding", "encoding", "no_encoding", "target_encoding"):
        candidate = built(sample, "classifier:sgd", f"categorical_encoding:{encoding}")
        mixed = sample(TaskType.BINARY, "mixed")
        rows = mixed.rest.copy()
        rows[:, 3] = 17.0
        rows[0] = np.nan
        model = candidate.pipeline.fit(mixed.train, mixed.y_train)
        assert np.isfinite(model.predict_proba(rows)).all()
    complete = built(sample, "classifier:sgd", form="dense").pipeline.fit(table.train, table.y_train)
    assert np.isfinite(complete.predict_proba(np.full((1, 6), np.nan))).all()


def merging(profile: Profile, fraction: float, *include: str) -> Pipeline:
    """The default pipeline that merges categories rarer than this."""
    space = build_space(profile, include=["category_coalescence:minority_coalescer", *include])
    vector, name = (
        space.default_vector(),
        "categorical_transformer:category_coalescence:minority_coalescer:minimum_fraction",
    )
    vector[list(space.configspace).index(name)] = space.configspace[name].to_vector(fraction)
    return space.build(vector, 1).pipeline


def test_rare_categories_are_merged(sample: Samples) -> None:
    table = sample(TaskType.BINARY, "mixed")
    rows = table.train[:, 3:5].copy()
    rows[:, 1] = np.where(rows[:, 1] > 3.0, 0.0, rows[:, 1])
    rows[:8, 1] = np.arange(4, 12)
    widths = []
    for fraction in (0.0001, 0.4):
        encoder = merging(table.profile, fraction).named_steps["columns"].transformers[0][1]
        widths.append(encoder.fit_transform(rows).shape[1])
    assert widths[0] > 14
    assert widths[1] <= 10


@pytest.mark.parametrize("encoding", ["one_hot_encoding", "encoding", "no_encoding", "target_encoding"])
@pytest.mark.parametrize("fraction", [0.01, 0.4])
def test_a_column_whose_categories_are_all_rare_keeps_them(sample: Samples, encoding: str, fraction: float) -> None:
    profile = sample(TaskType.BINARY, "mixed").profile
    profile = replace(profile, n_rows=270, n_columns=1, kinds=(ColumnKind.CATEGORICAL,), cardinalities=(90,))
    profile = replace(profile, has_missing=False)
    codes = np.repeat(np.arange(90.0), 3)[:, None]
    answers = (codes.ravel() % 2).astype(int)
    include = (f"categorical_encoding:{encoding}", "classifier:decision_tree", "feature_preprocessor:no_preprocessing")
    encoded = merging(profile, fraction, *include)[:-1].fit_transform(codes, answers)
    dense = encoded.toarray() if hasattr(encoded, "toarray") else np.asarray(encoded)
    if encoding == "target_encoding":
        assert np.mean(np.abs(dense.ravel() - answers) < 0.3) > 0.8
    else:
        assert len(np.unique(dense, axis=0)) == 90


def test_missing_values_can_be_told(sample: Samples) -> None:
    with_indicator = built(sample, "missing_indicator:indicator", "categorical_encoding:encoding")
    without = built(sample, "missing_indicator:no_indicator", "categorical_encoding:encoding")
    table = sample(TaskType.BINARY, "mixed")
    widths = [c.pipeline[:-1].fit_transform(table.train, table.y_train).shape[1] for c in (with_indicator, without)]
    assert widths == [14, 8]


def test_quantiles_are_percent_to_scikit_learn(sample: Samples) -> None:
    scaler = built(sample, "rescaling:robust_scaler", form="dense").pipeline.named_steps["rescaling"]
    assert scaler.quantile_range == (25.0, 75.0)


def test_sparse_data_stay_sparse(sample: Samples) -> None:
    from scipy import sparse

    candidate = built(sample, "classifier:sgd", "feature_preprocessor:no_preprocessing", form="sparse")
    table = sample(TaskType.BINARY, "sparse")
    assert sparse.issparse(candidate.pipeline[:-1].fit_transform(table.train, table.y_train))


def test_weights_make_classes_equal(sample: Samples) -> None:
    y = np.array([0] * 9 + [1] * 3)
    weight = built(sample, "balancing:weighting").sample_weight(y)
    assert weight is not None
    assert weight[:9].sum() == pytest.approx(weight[9:].sum())
    assert weight.mean() == pytest.approx(1.0)
    assert built(sample, "balancing:none").sample_weight(y) is None


def test_a_perceptron_is_fitted_to_the_total(sample: Samples) -> None:
    table = sample(TaskType.BINARY, "dense")
    candidate = built(sample, "classifier:mlp", form="dense")
    learner = candidate.pipeline.steps[-1][1].set_params(early_stopping=False)
    assert candidate.staged_fitting == StagedFitting("max_iter", 512)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for total in (2, 4, 8):
            learner.set_params(max_iter=total).fit(table.train, table.y_train)
            assert learner.n_iter_ == total
            assert not candidate.staged_fitting.finished(learner)


def test_a_learner_that_stops_by_itself_is_finished(sample: Samples) -> None:
    table = sample(TaskType.BINARY, "dense")
    candidate = built(sample, "classifier:sgd", form="dense")
    learner = candidate.pipeline.steps[-1][1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learner.set_params(max_iter=1).fit(table.train, table.y_train)
        assert not candidate.staged_fitting.finished(learner)
        learner.set_params(max_iter=1024).fit(table.train, table.y_train)
        assert candidate.staged_fitting.finished(learner)


@pytest.mark.parametrize("name", ["sgd", "mlp", "libsvm_svr", "elastic_net"])
def test_the_scale_of_the_target_does_not_matter(sample: Samples, name: str) -> None:
    table = sample(TaskType.REGRESSION, "dense")
    predictions: list[NDArray[Any]] = []
    for factor in (1.0, 1e6):
        candidate = built(sample, f"regressor:{name}", task=TaskType.REGRESSION, form="dense")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = candidate.pipeline.fit(table.train, table.y_train * factor)
        predictions.append(model.predict(table.rest) / factor)
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-4)


def test_a_fold_that_lacks_a_class_still_trains(sample: Samples) -> None:
    pytest.importorskip("xgboost")
    table = sample(TaskType.MULTICLASS, "dense")
    lacking = table.y_train != 1
    candidate = built(sample, "classifier:xgboost", task=TaskType.MULTICLASS, form="dense")
    learner = candidate.pipeline.steps[-1][1].set_params(iterations=4)
    model = candidate.pipeline.fit(table.train[lacking], table.y_train[lacking])
    assert list(learner.classes_) == [0, 2]
    assert model.predict_proba(table.rest).shape == (30, 2)


def test_the_share_of_features_is_a_power_of_their_number(sample: Samples) -> None:
    profile = sample(TaskType.BINARY, "dense").profile
    forest = find_component("classifier", "random_forest")
    values = {"bootstrap": True, "criterion": "gini", "min_samples_leaf": 1, "min_samples_split": 2}
    for exponent, expected in ((0.0, 1), (0.5, 6**0.5), (1.0, 6)):
        learner = forest.build({**values, "max_features": exponent}, Context(profile, seed=0))
        assert learner.max_features * 6 == pytest.approx(expected)
