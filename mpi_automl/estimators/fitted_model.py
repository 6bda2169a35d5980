"""What a fitted estimator has: its model, which it holds, and the run directory, where the job's history lies."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from mpi_automl.data.table import numbered
from mpi_automl.errors import UserError
from mpi_automl.estimators.jobs import in_own_words
from mpi_automl.option_types import names
from mpi_automl.runs.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from mpi_automl.ensemble.model import EnsembleModel


class TemporaryRun:
    """A run directory that lives as long as an object of the process that made it refers to this one.

    Copies of an estimator share it, and so do those that were pickled and are loaded in the same process.

    Attributes
    ----------
    path : str
    """

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="mpi_automl_")
        weakref.finalize(self, _remove, self.path, os.getpid())
        _TEMPORARY_RUNS[self.path] = self

    def __reduce__(self) -> tuple[Callable[[str], TemporaryRun | None], tuple[str]]:
        return _shared, (self.path,)


_TEMPORARY_RUNS: weakref.WeakValueDictionary[str, TemporaryRun] = weakref.WeakValueDictionary()


def _shared(path: str) -> TemporaryRun | None:
    return _TEMPORARY_RUNS.get(path)


def _remove(path: str, owner: int) -> None:
    """Remove the directory, unless a forked process ends."""
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def check_origin(model: EnsembleModel, run: Run) -> None:
    """See that a model comes from a run.

    Raises
    ------
    UserError
        If the directory of the run is gone, or holds another run.
    """
    if not run.path.exists():
        raise UserError(
            f"The run directory {run.path} is gone, and with it the history of the search; the model predicts without "
            "it. Give out to keep it."
        )
    if model.run not in ("", run.identity):
        raise UserError(
            f"{run.path} holds another run than the one that this estimator was fitted in; the model predicts without "
            "it. fit_ensemble(directory=...) takes over the run that is there."
        )


class FittedModelMixin(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives an estimator `model_`, which holds its files, and `run_directory_`, where the job's history lies."""

    plugins: Any
    model_: EnsembleModel
    run_directory_: str
    _temporary_run: TemporaryRun | None = None

    def _adopt(self, model: EnsembleModel) -> Any:
        """Predict with a model from here on."""
        self.model_ = model
        return self

    def _take_over(self, model: EnsembleModel, directory: Path) -> Any:
        """Predict with the model of a run that something else made."""
        self.run_directory_, self._temporary_run = str(directory), None
        self._adopt(model)
        columns = self.model_.schema.source_columns
        self.n_features_in_ = len(columns)
        self.__dict__.pop("feature_names_in_", None)
        if columns != numbered("x", len(columns)):
            self.feature_names_in_ = np.array(columns, dtype=object)
        return self

    @property
    def _trusted(self) -> tuple[str, ...]:
        """Modules whose types may be loaded: those that the user named."""
        return names(self.plugins)

    @property
    def _finished_run(self) -> Run:
        """The run that the model comes from; a `ValueError` if its directory is gone, or holds another run."""
        run = Run(self.run_directory_, plugins=self._trusted)
        in_own_words(lambda: check_origin(self.model_, run))
        return run

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")
