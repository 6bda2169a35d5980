"""Components from outside, and what importing them costs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import all_components
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import import_plugins, register, unregister
from mpi_automl.space.space import build_space

PLUGIN = '''
from mpi_automl.space.component import CLASSIFICATION, Component, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class Prior(Component):
    """Class frequencies."""

    step = "classifier"
    name = "prior"
    properties = Properties(tasks=CLASSIFICATION, sparse=True)
    hyperparameters = (Float("strength", 0.0, 1.0, 0.5),)

    def build(self, values, context):
        from sklearn.dummy import DummyClassifier

        return DummyClassifier()
'''
SHOW = """
from mpi_automl.data.task import *
from mpi_automl.space.space import build_space
p = Profile(TaskType.BINARY, 99, 2, 2, (ColumnKind.NUMERICAL,) * 2, (0, 0), False, False, False)
space = build_space(p, include=["classifier:prior"])
print(space.describe(space.default_vector()), [name for name in space.configspace if "prior" in name])
"""


def run(program: str, *paths: Path) -> str:
    path = os.pathsep.join([*map(str, paths), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_plugin_takes_part(tmp_path: Path) -> None:
    (tmp_path / "a_plugin.py").write_text(PLUGIN)
    said = run("from mpi_automl.space.registry import import_plugins\nimport_plugins(['a_plugin'])" + SHOW, tmp_path)
    assert said.split() == ["prior,", "standardize,", "mean", "['classifier:prior:strength']"]


def test_an_installed_package_takes_part(tmp_path: Path) -> None:
    (tmp_path / "a_package.py").write_text(PLUGIN)
    facts = tmp_path / "a_package-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: a_package\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[mpi_automl.components]\nprior = a_package\n")
    assert "classifier:prior:strength" in run(SHOW, tmp_path)


def test_a_plugin_that_cannot_be_imported_is_named() -> None:
    with pytest.raises(UserError, match="no_such_plugin cannot be imported"):
        import_plugins(["no_such_plugin"])


class Louder(Component):
    """A test's own learner."""

    step = "classifier"
    name = "louder"
    properties = Properties(tasks=CLASSIFICATION)
    hyperparameters = (Float("volume", 0.0, 11.0, 11.0),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        from sklearn.dummy import DummyClassifier

        return DummyClassifier()


def test_registering_adds_and_unregistering_takes_away(sample: Callable[[TaskType, str], Any]) -> None:
    profile = sample(TaskType.BINARY, "dense").profile
    register(Louder)
    try:
        assert "classifier:louder:volume" in build_space(profile).configspace
    finally:
        unregister(Louder)
    assert "classifier:louder:volume" not in build_space(profile).configspace


def test_two_components_of_one_name_are_refused() -> None:
    class Forest(Louder):
        name = "random_forest"

    with pytest.raises(UserError, match="defined twice"):
        register(Forest)


def test_an_unknown_step_is_refused() -> None:
    class Lost(Louder):
        step = "learner"

    with pytest.raises(UserError, match="names the step 'learner'"):
        register(Lost)


def test_every_name_is_unique_and_documented() -> None:
    components = all_components()
    assert len({component.key() for component in components}) == len(components)
    assert all(type(component).__doc__ for component in components)


def test_declarations_need_neither_scikit_learn_nor_configspace() -> None:
    program = (
        "import sys\nfrom mpi_automl.space.components import all_components\nall_components()\n"
        "print([name for name in ('sklearn', 'ConfigSpace', 'pandas', 'scipy') if name in sys.modules])"
    )
    assert run(program).strip() == "[]"
