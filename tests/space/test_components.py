"""Every component, in its default and in random configurations, on every kind of data it declares."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import skops.io

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import Component
from mpi_automl.space.components import all_components
from mpi_automl.space.predictions import predict
from mpi_automl.space.space import Candidate, SearchSpace, build_space
from mpi_automl.space.trusted_types import TRUSTED

RANDOM_CONFIGURATIONS = 1
CHEAP = {"classifier": ("sgd", "lda", "decision_tree"), "regressor": ("ridge", "sgd", "decision_tree")}
FORMS = {
    ("imputation",): ("mixed",),
    ("missing_indicator",): ("mixed",),
    ("category_coalescence",): ("mixed",),
    ("categorical_encoding",): ("mixed",),
    ("text_encoding",): ("text",),
    ("text_feature_reduction",): ("text",),
}


def cases() -> Iterator[Any]:
    for component in all_components():
        if any(find_spec(package) is None for package in component.properties.requires):
            continue
        for task_type in sorted(component.properties.tasks):
            if component.step in ("classifier", "balancing") and not task_type.is_classification:
                continue
            if component.step == "regressor" and task_type.is_classification:
                continue
            for form in forms(component):
                yield pytest.param(component, task_type, form, id=f"{component.key()}-{task_type.value}-{form}")


def forms(component: Component) -> Iterator[str]:
    special = FORMS.get((component.step,))
    if special is not None:
        yield from special
        return
    properties = component.properties
    if properties.dense:
        yield "dense"
    if properties.dense and (properties.missing or properties.categories):
        yield "mixed"
    if properties.sparse:
        yield "sparse"


def space_for(component: Component, profile: Any, *, codes: bool = False) -> SearchSpace:
    """A space in which the component is sure to be used; learners do without feature preprocessing if they can.

    With `codes`, learners that take category codes get them.
    """
    last = "classifier" if profile.task_type.is_classification else "regressor"
    include = [component.key()]
    if codes and component.step == last and component.properties.categories and any(profile.cardinalities):
        include += ["categorical_encoding:no_encoding"]
    if component.step != last:
        include += [f"{last}:{name}" for name in CHEAP[last]]
    if component.step not in ("feature_preprocessor", last):
        include += ["feature_preprocessor:no_preprocessing"]
    return build_space(profile, include=include)


def fitted(candidate: Candidate, sample: Any) -> Any:
    pipeline = candidate.pipeline
    last, learner = pipeline.steps[-1]
    if candidate.staged_fitting is not None:
        learner.set_params(**{candidate.staged_fitting.parameter: max(4, candidate.staged_fitting.start // 8)})
    for _, step in pipeline.steps:
        sizes = {name: size for name, size in step.get_params().items() if name.split("__")[-1] == "n_estimators"}
        step.set_params(**{name: min(size or 10, 10) for name, size in sizes.items()})
    weight = candidate.sample_weight(sample.y_train)
    parameters = {} if weight is None else {f"{last}__sample_weight": weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.fit(sample.train, sample.y_train, **parameters)


def check(predictions: Any, task_type: TaskType, shape: tuple[int, int]) -> None:
    assert predictions.shape == shape
    assert np.isfinite(predictions).all()
    if task_type.is_classification:
        assert predictions.min() >= 0.0
        assert predictions.max() <= 1.0 + 1e-6
    if task_type in (TaskType.BINARY, TaskType.MULTICLASS):
        np.testing.assert_allclose(predictions.sum(axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize(("component", "task_type", "form"), list(cases()))
def test_fits_and_predicts_what_it_declares(component: Component, task_type: TaskType, form: str, sample: Any) -> None:
    table = sample(task_type, form)
    space = space_for(component, table.profile)
    space.configspace.seed(11)
    random = [space.configspace.sample_configuration() for _ in range(RANDOM_CONFIGURATIONS)]
    shape = (table.rest.shape[0], table.profile.n_outputs)
    for vector in [space.default_vector(), *(found.get_array() for found in random)]:
        model = fitted(space.build(vector, seed=3), table)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(predict(model, table.rest, task_type, table.profile.n_outputs), task_type, shape)


@pytest.mark.parametrize(
    "component", [pytest.param(c, id=c.key()) for c in all_components() if all(map(find_spec, c.properties.requires))]
)
def test_is_repeatable_and_survives_a_file(component: Component, sample: Any) -> None:
    task_type = min(component.properties.tasks, key=list(TaskType).index)
    if component.step == "regressor":
        task_type = TaskType.REGRESSION
    form = next(forms(component))
    table = sample(task_type, form)
    space = space_for(component, table.profile)
    first, second = (fitted(space.build(space.default_vector(), seed=3), table) for _ in range(2))
    loaded = skops.io.loads(skops.io.dumps(first), trusted=list(TRUSTED))
    expected = predict(first, table.rest, task_type, table.profile.n_outputs)
    for model in (second, loaded):
        np.testing.assert_allclose(predict(model, table.rest, task_type, table.profile.n_outputs), expected, rtol=1e-5)


FRESH_PROCESS = """
import pickle, sys, warnings
from pathlib import Path
import numpy as np
from mpi_automl.ensemble.saved_pipelines import load_pipelines
from mpi_automl.space.predictions import predict
warnings.simplefilter("ignore")
for file in sorted(Path(sys.argv[1]).glob("*.skops")):
    rows, task_type, n_outputs, expected = pickle.loads(file.with_suffix(".pickle").read_bytes())
    (model,) = load_pipelines(file)
    if not np.array_equal(predict(model, rows, task_type, n_outputs), expected):
        print("differs:", file.stem)
"""


@pytest.mark.slow
def test_every_component_predicts_bit_for_bit_in_a_fresh_process(sample: Any, tmp_path: Any) -> None:
    from threadpoolctl import threadpool_limits

    components = [component for component in all_components() if all(map(find_spec, component.properties.requires))]
    made = [(component, form) for component in components for form in forms(component)]
    for component, form in made:
        task_type = min(component.properties.tasks, key=list(TaskType).index)
        if component.step == "regressor":
            task_type = TaskType.REGRESSION
        table = sample(task_type, form)
        space = space_for(component, table.profile, codes=True)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = fitted(space.build(space.default_vector(), seed=3), table)
            expected = predict(model, table.rest, task_type, table.profile.n_outputs)
        file = tmp_path / f"{component.step}-{component.name}-{form}.skops"
        skops.io.dump([model], file)
        file.with_suffix(".pickle").write_bytes(
            pickle.dumps((table.rest, task_type, table.profile.n_outputs, expected))
        )
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, tmp_path],
        env={**os.environ, **threads},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert len(list(tmp_path.glob("*.skops"))) == len(made) > len(components) > 60
