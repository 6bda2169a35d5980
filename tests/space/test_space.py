"""The search space as a whole: names, legality, adaptation, texts."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.errors import UserError
from mpi_automl.space.space import SearchSpace, build_space

Samples = Callable[[TaskType, str], Any]


@pytest.fixture(scope="module")
def mixed(sample: Samples) -> Profile:
    profile: Profile = sample(TaskType.BINARY, "mixed").profile
    return profile


@pytest.fixture(scope="module")
def space(mixed: Profile) -> SearchSpace:
    return build_space(mixed, exclude=["classifier:catboost"])


def vector_of(space: SearchSpace, **choices: Any) -> Any:
    """The default configuration with some values changed, where a double underscore stands for a colon."""
    from ConfigSpace import Configuration

    values = dict(space.configspace.get_default_configuration())
    changed = {name.replace("__", ":").replace("choice", "__choice__"): value for name, value in choices.items()}
    # Conditions decide what is active: begin from the defaults of everything.
    everything = {hp.name: hp.default_value for hp in space.configspace.values()}
    from ConfigSpace.util import deactivate_inactive_hyperparameters

    found: Configuration = deactivate_inactive_hyperparameters({**everything, **values, **changed}, space.configspace)
    return found.get_array()


def test_names_are_those_of_the_predecessor(space: SearchSpace) -> None:
    assert {
        "classifier:__choice__",
        "classifier:random_forest:max_features",
        "feature_preprocessor:pca:keep_variance",
        "balancing:strategy",
        "numerical_transformer:imputation:strategy",
        "numerical_transformer:rescaling:robust_scaler:q_max",
        "categorical_transformer:category_coalescence:minority_coalescer:minimum_fraction",
    } <= set(space.configspace)


def test_the_default_is_a_random_forest_without_preprocessing(space: SearchSpace) -> None:
    configuration = space.configuration(space.default_vector())
    assert configuration["classifier:__choice__"] == "random_forest"
    assert configuration["feature_preprocessor:__choice__"] == "no_preprocessing"
    assert configuration["categorical_transformer:categorical_encoding:__choice__"] == "one_hot_encoding"


def test_configurations_are_plain_and_only_active(space: SearchSpace) -> None:
    configuration = space.configuration(space.default_vector())
    assert {type(value) for value in configuration.values()} <= {bool, int, float, str}
    assert json.loads(json.dumps(configuration)) == configuration
    assert not any(name.startswith("classifier:sgd:") for name in configuration)


def test_random_configurations_keep_every_rule(space: SearchSpace) -> None:
    space.configspace.seed(5)
    seen = [space.configuration(c.get_array()) for c in space.configspace.sample_configuration(400)]
    imputation, learner = "numerical_transformer:imputation:strategy", "classifier:__choice__"
    kept = [c for c in seen if c[imputation] == "no_imputation"]
    assert kept
    components = space.components
    for c in kept:
        assert components["classifier"][c[learner]].properties.missing
        assert components["feature_preprocessor"][c["feature_preprocessor:__choice__"]].properties.missing
    for c in seen:
        if c["numerical_transformer:rescaling:__choice__"] == "splines":
            assert c["feature_preprocessor:__choice__"] != "polynomial"
            assert not components["classifier"][c[learner]].properties.nonlinear
        if c["feature_preprocessor:__choice__"] in ("kernel_pca", "kitchen_sinks", "nystroem_sampler"):
            assert not components["classifier"][c[learner]].properties.nonlinear
        if c[learner] == "k_nearest_neighbors":
            assert "balancing:strategy" not in c


def test_the_dummy_is_all_nan(space: SearchSpace, sample: Samples) -> None:
    dummy = np.full(len(space.configspace), np.nan)
    table = sample(TaskType.BINARY, "mixed")
    model = space.build(dummy, seed=0).pipeline.fit(table.train, table.y_train)
    probabilities = model.predict_proba(table.rest)
    assert space.configuration(dummy) == {}
    assert space.describe(dummy) == "dummy"
    np.testing.assert_allclose(probabilities[:, 1], table.y_train.mean())


def test_a_pickled_space_builds_the_same(space: SearchSpace) -> None:
    again = pickle.loads(pickle.dumps(space))
    vector = space.default_vector()
    assert again.digest == space.digest
    assert str(again.build(vector, 1).pipeline) == str(space.build(vector, 1).pipeline)


@pytest.mark.slow
def test_the_digest_does_not_depend_on_the_process() -> None:
    program = (
        "from mpi_automl.data.task import *\n"
        "from mpi_automl.space.space import build_space\n"
        "kinds = (ColumnKind.NUMERICAL,) * 4 + (ColumnKind.CATEGORICAL,)\n"
        "p = Profile(TaskType.BINARY, 99, 5, 2, kinds, (0, 0, 0, 0, 3), True, False, False)\n"
        "print(build_space(p).digest)\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_description_names_what_differs_from_the_defaults(space: SearchSpace) -> None:
    vector = vector_of(
        space,
        classifier__choice="extra_trees",
        classifier__extra_trees__min_samples_leaf=7,
        balancing__strategy="weighting",
    )
    text = space.describe(vector)
    assert text.startswith("extra_trees(min_samples_leaf=7), weighting, one_hot_encoding")
    assert "no_" not in text


def test_json_holds_the_space_and_what_was_left_out(space: SearchSpace) -> None:
    content = json.loads(space.to_json())
    assert ["classifier", "catboost", "is excluded"] in content["left_out"]
    names = [hp["name"] for hp in content["configuration_space"]["hyperparameters"]]
    assert names == list(space.configspace)


def test_include_keeps_only_the_named_of_a_step(mixed: Profile) -> None:
    space = build_space(mixed, include=["classifier:sgd", "rescaling:minmax"])
    assert set(space.components["classifier"]) == {"sgd"}
    assert space.fixed["classifier"] == "sgd"
    assert space.configuration(space.default_vector())["classifier:__choice__"] == "sgd"
    assert "classifier:__choice__" not in space.configspace
    assert len(space.components["feature_preprocessor"]) > 5


@pytest.mark.parametrize(
    ("include", "message"),
    [
        (["classifier:random_forst"], "did you mean classifier:random_forest"),
        (["random_forest"], "did you mean classifier:random_forest or regressor:random_forest"),
        (["rescaling:none_such"], "Known are rescaling:minmax"),
        (["regressor:ridge"], "regressor has nothing to do"),
        (["feature_preprocessor:densifier"], "is for sparse data only"),
        (["classifier:gradient_boosting", "feature_preprocessor:nystroem_sampler"], "can come before any classifier"),
    ],
)
def test_wrong_names_get_one_sentence(mixed: Profile, include: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_space(mixed, include=include)


def test_excluding_everything_is_refused(mixed: Profile) -> None:
    with pytest.raises(UserError, match="No component is left for the step balancing"):
        build_space(mixed, exclude=["balancing:none", "balancing:weighting"])


def test_balancing_goes_with_the_learners_that_could_use_it(mixed: Profile) -> None:
    space = build_space(mixed, include=["classifier:k_nearest_neighbors"])
    assert space.fixed["balancing"] == "none"


def test_learners_without_weights_leave_where_balancing_is_a_must(mixed: Profile) -> None:
    space = build_space(mixed, include=["balancing:weighting"])
    assert "lda" not in space.components["classifier"]
    assert space.fixed["balancing"] == "weighting"
    assert space.build(space.default_vector(), 0).balanced
    with pytest.raises(UserError, match="takes sample weights"):
        build_space(mixed, include=["balancing:weighting", "classifier:lda"])


@pytest.mark.parametrize(
    ("change", "gone", "reason"),
    [
        ({"n_rows": 40_000}, ("regressor", "gaussian_process"), "at most 5,000 rows"),
        ({"n_rows": 40_000}, ("feature_preprocessor", "kernel_pca"), "GiB"),
        ({"task_type": TaskType.MULTIOUTPUT}, ("regressor", "adaboost"), "cannot handle multioutput"),
        ({"is_sparse": True}, ("feature_preprocessor", "pca"), "cannot handle sparse data"),
        ({"is_sparse": True}, ("rescaling", "quantile_transformer"), "negative values"),
        ({}, ("feature_preprocessor", "truncatedSVD"), "sparse data only"),
        ({}, ("imputation", "median"), "none are"),
        ({"n_rows": 3_000_000}, ("feature_preprocessor", "polynomial"), "3,000,000 rows and 28 columns"),
    ],
)
def test_the_table_decides_who_takes_part(
    sample: Samples, change: dict[str, Any], gone: tuple[str, str], reason: str
) -> None:
    profile = replace(sample(TaskType.REGRESSION, "dense").profile, **change)
    reasons = {(step, name): text for step, name, text in build_space(profile).left_out}
    assert reason in reasons[gone]


def test_sparse_learners_of_dense_data_come_behind_a_reduction(sample: Samples) -> None:
    space = build_space(sample(TaskType.BINARY, "sparse").profile, include=["classifier:gaussian_nb"])
    before = set(space.components["feature_preprocessor"])
    assert {"densifier", "truncatedSVD"} <= before
    assert not before & {"no_preprocessing", "select_percentile_classification"}


def test_bounds_follow_the_table(sample: Samples) -> None:
    small = build_space(replace(sample(TaskType.REGRESSION, "dense").profile, n_rows=30)).configspace
    large = build_space(replace(sample(TaskType.REGRESSION, "dense").profile, n_rows=9_000)).configspace
    name = "regressor:k_nearest_neighbors:n_neighbors"
    assert small[name].upper == 10
    assert large[name].upper == 100
    assert "regressor:random_forest:criterion" in small
    assert "regressor:random_forest:criterion" not in large


def test_only_categories_make_a_short_pipeline() -> None:
    kinds = (ColumnKind.CATEGORICAL,) * 3
    profile = Profile(TaskType.BINARY, 50, 3, 2, kinds, (2, 3, 4), False, False, True)
    space = build_space(profile)
    pipeline = space.build(space.default_vector(), 0).pipeline
    assert [name for name, _ in pipeline.steps] == ["categorical_encoding", "classifier"]
