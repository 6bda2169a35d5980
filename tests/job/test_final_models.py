"""Final models: fitted anew on all rows, and the selection on many ranks."""

from pathlib import Path

import pytest

from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.job.final_ensemble import model_files
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import TrialKey

PROGRAM = Path(__file__).parent / "programs" / "select_together.py"


@pytest.fixture(scope="module")
def refitted(launch, tmp_path_factory):
    run = tmp_path_factory.mktemp("refitted") / "run"
    words = ["--time", "40", "--trials", "4", "--final", "refit", "--final-time", "15", "--ensemble-start", "2"]
    words += ["--include", "classifier:gaussian_nb,classifier:lda,classifier:decision_tree"]
    done = launch(2, "python", "-m", "mpi_automl", "example", *words, "--out", run, timeout=90)
    assert done.returncode == 0, done.stderr
    return run


def test_all_members_are_fitted_on_all_rows(refitted):
    model = EnsembleModel.load(refitted / "model")
    assert {file.kind for file in model.files.values()} == {"refit"}
    assert {len(model.pipelines(key)) for key in model.weights} == {1}
    assert all((refitted / "models" / f"{key}.refit.skops").exists() for key in model.weights)


def test_a_member_without_a_refit_keeps_its_fold_models(refitted):
    directory = RunDirectory(refitted)
    key = next(iter(EnsembleModel.load(directory.model).weights))
    assert model_files(directory, [key], "refit")[key].name == f"{key}.refit.skops"
    assert model_files(directory, [key])[key].name == f"{key}.skops"
    assert not model_files(directory, [TrialKey(7, 0, 0)], "refit")


def test_the_ensemble_can_go_back_to_fold_models(launch, refitted):
    before = EnsembleModel.load(refitted / "model").weights
    done = launch(None, "python", "-m", "mpi_automl", "ensemble", refitted, "--final", "folds")
    assert done.returncode == 0, done.stderr
    model = EnsembleModel.load(refitted / "model")
    assert model.weights == before
    assert {file.kind for file in model.files.values()} == {"folds"}


def test_many_candidates_are_dealt_and_the_ensemble_is_the_same(launch, refitted):
    done = launch(3, "python", PROGRAM, refitted, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fine: the same" in done.stdout
