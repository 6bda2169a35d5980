"""Small real runs of every kind of task, made once, on this process's rank alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from report_runs import data_of

from mpi_automl.estimators.jobs import run_here
from mpi_automl.report.write import write_report
from mpi_automl.runs.run import Run
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import RunDirectory

_LEARNERS = {
    "binary": "classifier:decision_tree,classifier:lda,feature_preprocessor:no_preprocessing,rescaling:standardize,"
    "rescaling:minmax,balancing:none,imputation:mean",
    "multiclass": "classifier:decision_tree,feature_preprocessor:no_preprocessing,feature_preprocessor:pca",
    "multilabel": "classifier:decision_tree",
    "dummy": "classifier:decision_tree",
}
_TYPES = {"multilabel": "multilabel", "multioutput": "multioutput", "dummy": "binary"}


@pytest.fixture(scope="session")
def make_run(tmp_path_factory) -> Callable[[str], Path]:
    """Gives the run of a kind of task; it is made when it is first wanted."""
    made: dict[str, Path] = {}
    home = tmp_path_factory.mktemp("runs")

    def make(kind: str) -> Path:
        if kind not in made:
            settings = Settings(
                time=900,
                trial_time=100,
                trials=23 if kind == "binary" else 1 if kind == "dummy" else 4,
                task=_TYPES.get(kind, kind),
                include=_LEARNERS.get(kind, "regressor:ridge,regressor:decision_tree"),
                ensemble_method="stacking" if kind == "regression" else "greedy",
                resampling="holdout",
                final_models="folds",
                out=str(home / kind),
            )
            made[kind] = run_here(lambda: (settings, data_of(kind)), None).directory
        return made[kind]

    return make


@pytest.fixture(scope="session")
def page_of(make_run) -> Callable[[str], Path]:
    """Gives the page of a kind's run; it is written when it is first wanted."""
    written: dict[str, Path] = {}

    def page(kind: str) -> Path:
        if kind not in written:
            written[kind] = write_report(Run(make_run(kind)))
        return written[kind]

    return page


@pytest.fixture
def killed_run(make_run, tmp_path) -> Path:
    """What a job leaves that was killed in its search."""
    run = tmp_path / "killed"
    shutil.copytree(make_run("multiclass"), run)
    (run / "ensemble.json").unlink()
    shutil.rmtree(run / "model")
    shutil.rmtree(run / "report", ignore_errors=True)
    directory = RunDirectory(run)
    directory.write_status({"state": "running"})
    return run
