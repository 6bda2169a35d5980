"""The estimators' constructor and its documentation are those of the options."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest
from launching import CHECKOUT

from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor
from mpi_automl.settings import OPTIONS

NO_PARAMETERS = {"table", "target", "test", "validation", "task", "report"}


def test_what_is_written_from_the_options_is_up_to_date():
    command = [sys.executable, CHECKOUT / "jobs" / "make_option_reference.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("estimator", [AutoMLClassifier, AutoMLRegressor])
def test_every_option_is_a_parameter_with_its_default_and_is_documented(estimator):
    parameters = inspect.signature(estimator).parameters
    assert set(parameters) == set(OPTIONS) - NO_PARAMETERS | {"n_jobs"}
    section = estimator.__doc__.partition("Parameters")[2].partition("Attributes")[0]
    assert re.findall(r"^    (\w+) : ", section, flags=re.MULTILINE) == list(parameters)
    for name, parameter in parameters.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert name == "n_jobs" or parameter.default == OPTIONS[name].default
    assert estimator().get_params() == {name: parameter.default for name, parameter in parameters.items()}


def test_parameters_become_settings():
    settings = AutoMLClassifier(time="2m", trial_memory="1GiB", include=["classifier:mlp"], n_jobs=2)._settings(
        task="binary"
    )
    assert (settings.time, settings.trial_memory, settings.include) == (120, 1024, ("classifier:mlp",))
    assert (settings.task, settings.report) == ("binary", False)


def test_the_documentation_names_auto_sklearns_parameters():
    for name, option in OPTIONS.items():
        if name not in NO_PARAMETERS and option.autosklearn:
            assert f"auto-sklearn: ``{option.autosklearn}``." in " ".join(AutoMLClassifier.__doc__.split()), name


def test_the_guide_for_users_of_auto_sklearn_names_every_option_that_has_a_parameter_there():
    guide = (CHECKOUT / "docs" / "guides" / "from_autosklearn.md").read_text(encoding="utf-8")
    rows = [line for line in guide.splitlines() if line.startswith("|")]
    for name, option in OPTIONS.items():
        parameter = re.match(r"\w*", option.autosklearn)[0]
        if parameter:
            assert any(parameter in row and f"`{name}`" in row for row in rows), (name, parameter)
