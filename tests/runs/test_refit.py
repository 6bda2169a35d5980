"""Final models: fitted anew on all rows, and the selection on many ranks."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from mpi_automl.data.example import breast_cancer_task
from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.job.conclusion import _with_members_to_refit
from mpi_automl.job.time_budget import TimeBudget
from mpi_automl.runs.final_model import model_files
from mpi_automl.runs.run import Run
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import TrialKey

PROGRAM = Path(__file__).parent / "programs" / "select_together.py"


@pytest.fixture(scope="module")
def refitted(finished_run, tmp_path_factory):
    """A run of this module's own, as tests change it."""
    return shutil.copytree(finished_run, tmp_path_factory.mktemp("refitted") / "run")


def test_all_members_are_fitted_on_all_rows(refitted):
    model = EnsembleModel.load(refitted / "model")
    assert {file.kind for file in model.files.values()} == {"refit"}
    assert {len(model.pipelines(key)) for key in model.weights} == {1}
    # Nobody asked for it: after a holdout it is the default.
    assert RunDirectory(refitted).read_config()["final_models"] == "auto"
    assert all((refitted / "models" / f"{key}.refit.skops").exists() for key in model.weights)


def test_the_score_on_the_test_rows_is_that_of_the_saved_model(refitted):
    outcome = RunDirectory(refitted).read_ensemble()
    task = breast_cancer_task()
    predictions = EnsembleModel.load(refitted / "model").predictions(task.X_test)
    assert outcome["test_value"] == pytest.approx((predictions.argmax(axis=1) == task.y_test).mean())
    assert {member["models"] for member in outcome["members"]} == {"refit"}


@pytest.mark.parametrize(
    ("final", "was_stopped", "is_fitted"),
    [("auto", False, True), ("auto", True, False), ("refit", True, True)],
)
def test_a_job_that_is_stopped_puts_off_what_nobody_asked_for(refitted, tmp_path, final, was_stopped, is_fitted):
    run = shutil.copytree(refitted, tmp_path / "run")
    for file in (run / "models").glob("*.refit.*"):
        file.unlink()
    members = EnsembleModel.load(run / "model").combination
    budget = TimeBudget(0.0, 90.0, 100.0, 105.0, 110.0, reserves_refits=True)
    plan = SimpleNamespace(time=budget, n_folds=1)
    accounts = [SimpleNamespace(was_stopped=was_stopped)]
    session = SimpleNamespace(settings=Settings(final_models=final), world=SimpleNamespace(now=lambda: 0.0))
    selected = _with_members_to_refit(plan, Run(run), members, session, accounts)
    assert [trial.key for trial in selected.to_refit] == (list(members.weights) if is_fitted else [])
    assert selected.time.refit_end == (15.0 if was_stopped else 100.0)


def test_a_member_without_a_refit_keeps_its_fold_models(refitted):
    directory = RunDirectory(refitted)
    key = next(iter(EnsembleModel.load(directory.model).weights))
    assert model_files(directory, [key], "refit")[key].name == f"{key}.refit.skops"
    assert model_files(directory, [key])[key].name == f"{key}.skops"
    assert model_files(directory, [key], "auto")[key].name == f"{key}.refit.skops"
    assert not model_files(directory, [TrialKey(7, 0, 0)], "refit")


def test_the_ensemble_can_go_back_to_fold_models(launch, refitted):
    before = EnsembleModel.load(refitted / "model").weights
    done = launch(None, "python", "-m", "mpi_automl", "ensemble", refitted, "--final-models", "folds")
    assert done.returncode == 0, done.stderr
    model = EnsembleModel.load(refitted / "model")
    assert model.weights == before
    assert {file.kind for file in model.files.values()} == {"folds"}
    outcome = RunDirectory(refitted).read_ensemble()
    assert {member["models"] for member in outcome["members"]} == {"folds"}


def test_many_candidates_are_dealt_and_the_ensemble_is_the_same(launch, refitted):
    done = launch(3, "python", PROGRAM, refitted, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fine: the same, and all heard of the damage" in done.stdout
