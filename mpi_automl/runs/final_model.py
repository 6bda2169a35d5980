"""The final model of an ensemble: its members' fitted models, and what they scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.evaluation.model_files import file_of_test_predictions
from mpi_automl.runs.summary import Member
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.ensemble.combination import MemberCombination
    from mpi_automl.runs.run import Run
    from mpi_automl.storage.reader import RunReader
    from mpi_automl.storage.run_directory import RunDirectory

FOLDS, REFIT = "folds", "refit"
"""Models of a member: one for each fold, whose predictions are averaged, or one fitted on all rows."""


def refit_path(models: Path, key: TrialKey) -> Path:
    """File of a trial's model that was fitted on all rows."""
    return models / f"{key}.refit.skops"


def kind_of(path: Path) -> str:
    """Which models a file holds."""
    return REFIT if ".refit." in path.name else FOLDS


def model_files(directory: RunDirectory, keys: Iterable[TrialKey], prefer: str = FOLDS) -> dict[TrialKey, Path]:
    """Fitted models that are on disk.

    Parameters
    ----------
    directory : RunDirectory
    keys : iterable of TrialKey
    prefer : {"auto", "folds", "refit"}
        Which to take where a trial has both; "auto" are those of all rows, which are only there if they were wanted.
    """
    found = {}
    for key in keys:
        paths = [directory.model_of(key), refit_path(directory.models, key)]
        for path in paths if prefer == FOLDS else reversed(paths):
            if path.is_file():
                found[key] = path
                break
    return found


def save_model(run: Run, ensemble: Ensemble, files: dict[TrialKey, Path]) -> None:
    """Put the members' fitted models and the manifest into the run's model directory."""
    from mpi_automl.ensemble.model import add_member, write_manifest

    place = run.directory.model
    members = {key: add_member(place, key, files[key], kind_of(files[key])) for key in ensemble.weights}
    write_manifest(place, run.schema, ensemble.combination, members, run.metric.name, run.identity)


def describe_members(
    run: Run, weights: dict[TrialKey, float], files: Mapping[TrialKey, Path] | None = None
) -> tuple[Member, ...]:
    """What a person wants to know of each member, which predicts with the models in a file; else with its folds'."""
    keys, files, reader = list(weights), files or {}, run.reader
    test_truth = reader.test_truth()
    tests = None if test_truth is None or not keys else _test_predictions(reader, keys, files)
    return tuple(
        Member(
            key,
            weights[key],
            _value(run, reader.truth(), reader.predictions([key])[0]),
            None if tests is None else _value(run, test_truth, tests[position]),
            run.space.describe(reader.vector(key)),
            kind_of(files[key]) if key in files else FOLDS,
        )
        for position, key in enumerate(keys)
    )


def describe_single_best(run: Run, files: Mapping[TrialKey, Path]) -> Member | None:
    """The best single trial (`Run.single_best`), with the same test score as where it is a member."""
    key = run.single_best
    return None if key is None else describe_members(run, {key: 1.0}, files)[0]


def test_value(run: Run, combination: MemberCombination, files: Mapping[TrialKey, Path] | None = None) -> float | None:
    """The metric of an ensemble on the test rows, by the models in files; None where their target is not known."""
    from mpi_automl.ensemble.combination import combine

    test_truth = run.reader.test_truth()
    keys = list(combination.weights)
    tests = None if test_truth is None else _test_predictions(run.reader, keys, files or {})
    if tests is None:
        return None
    return _value(run, test_truth, combine(combination, dict(zip(keys, tests, strict=True))))


def _test_predictions(
    reader: RunReader, keys: list[TrialKey], files: Mapping[TrialKey, Path]
) -> NDArray[np.float32] | None:
    tests = reader.test_predictions(keys)
    if tests is None:
        return None
    for position, key in enumerate(keys):
        if key in files and kind_of(files[key]) == REFIT:
            tests[position] = np.load(file_of_test_predictions(files[key]))
    return tests


def _value(run: Run, truth: NDArray[Any] | None, predictions: NDArray[Any]) -> float:
    assert truth is not None
    return float(run.metric.value(truth, predictions, run.schema.task_type))
