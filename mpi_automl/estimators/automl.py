"""`AutoMLClassifier` and `AutoMLRegressor`: a job as a scikit-learn estimator."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.estimators import results
from mpi_automl.estimators.jobs import Data, in_own_words, run_here, run_launched
from mpi_automl.estimators.output import OutputMixin
from mpi_automl.estimators.parameters import settings_of, takes_options
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.runs.leaderboard import leaderboard
from mpi_automl.runs.rebuild import rebuild_ensemble
from mpi_automl.runs.run import Run
from mpi_automl.settings import names
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    import pandas as pd

_MODEL_FILES = "_model_files"


class _AutoML(OutputMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators have in common."""

    def fit(
        self,
        X: Any,
        y: Any,
        X_test: Any = None,
        y_test: Any = None,
        *,
        dataset_name: str = "table",
        comm: Any = None,
    ) -> Any:
        """Collective. Search for the best ensemble until the time is up.

        All ranks call it with the same parameters; rank 0's data count. Under a launcher (``mpirun python
        script.py``) the ranks work together; without one this process works alone, or with `n_jobs` ranks that are
        started for this job.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
        y : array, shape (n_rows,) or (n_rows, n_targets)
        X_test, y_test : as `X` and `y`, optional
            Predicted by every trial and scored, never learned from.
        dataset_name : str
            What to call the table in reports.
        comm : mpi4py.MPI.Intracomm, optional
            Ranks to work with; by default all ranks that the launcher started.

        Returns
        -------
        self
            Fitted, on every rank.

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used.
        """
        X, y = self._checked_training(X, y)
        data = Data(X, y, X_test, y_test, dataset_name)
        directory = in_own_words(lambda: self._run(data, comm))
        self.run_directory_ = str(directory)
        return self._adopt(Run(directory).directory.model)

    def _run(self, data: Data, comm: Any) -> Path:
        alone = comm is None and not detect_launch().is_parallel
        out = self.out
        if out is None and alone:
            out = self._temporary()
        settings = settings_of(self, task=self._task_type(data.y), out=out)
        ranks = (os.cpu_count() or 1) if self.n_jobs == -1 else self.n_jobs or 1
        if alone and ranks > 1:
            return run_launched(settings, data, ranks)
        return run_here(settings, data, comm)

    def _temporary(self) -> str:
        """A directory that lives as long as the estimator."""
        place = tempfile.mkdtemp(prefix="mpi_automl_")
        weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        return place

    def _adopt(self, model: Path) -> Any:
        self.model_ = EnsembleModel.load(model, trusted=self._trusted)
        return self

    @property
    def _finished_run(self) -> Run:
        return Run(self.run_directory_, plugins=self._trusted)

    @property
    def _trusted(self) -> tuple[str, ...]:
        """Modules whose types may be loaded: those that the user named."""
        return names(self.plugins)

    def _checked_training(self, X: Any, y: Any) -> tuple[Any, Any]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = self._checked(X, reset=True)
        y = self._checked_target(y if hasattr(y, "ndim") else np.asarray(y))
        check_consistent_length(X, y)
        return X, y

    def _checked(self, X: Any, *, reset: bool) -> Any:
        if hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        options = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan", "ensure_min_samples": 2 if reset else 1}
        return validate_data(self, X, reset=reset, dtype=None, **options)

    def _checked_target(self, y: Any) -> Any:
        raise AttributeError("only the classes for one kind of target have this")

    def _task_type(self, y: Any) -> str:
        raise AttributeError("only the classes for one kind of target have this")

    def predict(self, X: Any) -> Any:
        """Labels or values of rows, shape (n_rows,) or (n_rows, n_targets), as they were in training."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return self._wrapped(in_own_words(lambda: self.model_.predict(X)), X, self.model_.schema.target_names)

    def _score(self, X: Any, y: Any) -> float:
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return float(in_own_words(lambda: results.score(self.model_, X, y)))

    def fit_ensemble(
        self,
        *,
        size: int | None = None,
        nbest: int | float | None = None,
        metric: str | None = None,
        method: str | None = None,
        directory: str | None = None,
        comm: Any = None,
    ) -> Any:
        """Collective. Build another ensemble from the trials of a run; this estimator predicts with it from now on.

        Parameters
        ----------
        size, nbest, metric, method
            As `ensemble_size`, `ensemble_nbest`, `metric` and `ensemble_method`; by default the run's own.
        directory : str, optional
            A run directory, so that an estimator that was never fitted can take over a finished run.
        comm : mpi4py.MPI.Intracomm, optional
            As for `fit`; ``MPI.COMM_SELF`` if one rank alone is to do this.
        """
        if directory is not None:
            self.run_directory_ = directory
        check_is_fitted(self, "run_directory_")
        changes: dict[str, Any] = {"size": size, "nbest": nbest, "method": method}
        world = results.world_of(comm)
        run = Run(self.run_directory_, metric, self._trusted)
        in_own_words(lambda: rebuild_ensemble(world, run, **changes))
        self._adopt(run.directory.model)
        self.n_features_in_ = len(self.model_.schema.source_columns)
        return self

    def refit(self, X: Any, y: Any, *, comm: Any = None) -> Any:
        """Collective. Fit the members of the ensemble on all rows given; one that fails keeps its models.

        The members are dealt over the ranks, and fitted in processes with limits: `time` for all, `trial_memory` and
        twice `trial_time` for each. Rank 0's rows count.

        Parameters
        ----------
        X, y
            As for `fit`.
        comm : mpi4py.MPI.Intracomm, optional
            As for `fit`; ``MPI.COMM_SELF`` if one rank alone is to do this.
        """
        check_is_fitted(self)
        X, y = self._checked_training(X, y)
        run, rows = self._finished_run, (X, y)
        settings = in_own_words(lambda: settings_of(self, task=self._task_type(y)))
        return self._adopt(in_own_words(lambda: results.refit(run, self.model_, rows, settings, comm, self._temporary)))

    def leaderboard(self, *, ensemble_only: bool = False) -> pd.DataFrame:
        """All trials, failures included, best first.

        Parameters
        ----------
        ensemble_only : bool
            Only members of the ensemble.

        Returns
        -------
        DataFrame
            As `mpi_automl.runs.leaderboard.leaderboard` describes it.
        """
        check_is_fitted(self)
        table = leaderboard(self._finished_run, self.model_.weights)
        return table[table["ensemble_weight"] > 0] if ensemble_only else table

    def show_models(self) -> dict[str, dict[str, Any]]:
        """Members of the ensemble, heaviest first: weight, cost, a line about the pipeline, its fitted pipelines."""
        check_is_fitted(self)
        return results.members(self._finished_run, self.model_)

    def get_models_with_weights(self) -> list[tuple[float, Any]]:
        """Weights and lists of fitted pipelines (one for each fold, or one) of the members, heaviest first."""
        check_is_fitted(self)
        return [(weight, self.model_.pipelines(key)) for key, weight in self.model_.weights.items()]

    def sprint_statistics(self) -> str:
        """A few lines about the run: metric, best score, trials by status."""
        check_is_fitted(self)
        return results.statistics(self._finished_run)

    @property
    def cv_results_(self) -> dict[str, NDArray[Any]]:
        """Trials in the form of scikit-learn's searches: ``params``, ``mean_test_score``, ``rank_test_scores``, ..."""
        check_is_fitted(self)
        return results.cv_results(self._finished_run)

    @property
    def performance_over_time_(self) -> pd.DataFrame:
        """When each incumbent, the best full trial so far, was found, and its score."""
        check_is_fitted(self)
        return results.performance_over_time(self._finished_run)

    @property
    def ensemble_(self) -> dict[TrialKey, float]:
        """Weights of the members, heaviest first."""
        check_is_fitted(self)
        return dict(self.model_.weights)

    def get_configuration_space(self, X: Any, y: Any) -> Any:
        """The ConfigSpace that a search on this table would use."""
        X, y = self._checked_training(X, y)
        settings = settings_of(self, task=self._task_type(y))
        return in_own_words(lambda: results.space_of(Data(X, y, None, None, "table"), settings)).configspace

    def fit_pipeline(self, X: Any, y: Any, config: Any) -> Any:
        """Fit one configuration of `get_configuration_space` on all rows; gives a scikit-learn pipeline.

        The pipeline takes the encoded table.
        """
        X, y = self._checked_training(X, y)
        settings = settings_of(self, task=self._task_type(y))
        return in_own_words(lambda: results.fit_pipeline(Data(X, y, None, None, "table"), settings, config))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.trials is None
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            files = self.model_.directory.iterdir()
            state[_MODEL_FILES] = {file.name: file.read_bytes() for file in files if file.is_file()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop(_MODEL_FILES, None)
        super().__setstate__(state)
        if files is not None and not self.model_.directory.exists():
            place = Path(self._temporary())
            for name, content in files.items():
                (place / Path(name).name).write_bytes(content)
            self.model_.directory = place


@takes_options(n_jobs=None)
class AutoMLClassifier(ClassifierMixin, _AutoML):  # type: ignore[misc]  # scikit-learn has no types
    """Classifier that searches for the best ensemble of pipelines.

    Its parameters are the options of `mpi_automl.settings.Settings` under the same names (``time``, ``trial_time``,
    ``trial_memory``, ``metric``, ``seed``, ``include``, ``exclude``, ``resampling``, ``ensemble_size``, ...), and
    `n_jobs`.

    Parameters
    ----------
    n_jobs : int, optional
        Outside of an MPI launcher: how many ranks to start for the job; -1 for one on every core.

    Attributes
    ----------
    classes_ : ndarray
        Labels in the order of the columns of `predict_proba`; for several labels, a list with one array for each.
    model_ : EnsembleModel
    run_directory_ : str
        Where the run's files are. Without `out`, a temporary directory that goes with the estimator when it runs alone,
        else one in the working directory.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
    """

    def score(self, X: Any, y: Any) -> float:
        """Score by the metric that the ensemble was chosen by; greater is better, so errors and losses are negative."""
        # scikit-learn's mixin, which must come first, has one of its own.
        return self._score(X, y)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes or labels, shape (n_rows, n_outputs)."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        schema = self.model_.schema
        columns = schema.target_names if schema.classes is None else schema.classes.tolist()
        return self._wrapped(in_own_words(lambda: self.model_.predict_proba(X)), X, columns)

    def _adopt(self, model: Path) -> Any:
        super()._adopt(model)
        labels = [known.values for known in self.model_.schema.target.labels]
        self.classes_ = labels[0] if len(labels) == 1 else labels
        return self

    def _checked_target(self, y: Any) -> Any:
        if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1:
            return check_array(y, accept_sparse=False, dtype=None)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if len(set(np.asarray(y).tolist())) < 2:
            raise ValueError(f"{type(self).__name__} cannot be trained when there is only one class in y.")
        return y

    def _task_type(self, y: Any) -> str:
        kind = type_of_target(y)
        return {"binary": "binary", "multiclass": "multiclass"}.get(kind, "multilabel")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = False
        return tags


@takes_options(n_jobs=None)
class AutoMLRegressor(RegressorMixin, _AutoML):  # type: ignore[misc]  # scikit-learn has no types
    """Regressor that searches for the best ensemble of pipelines.

    Its parameters are those of `AutoMLClassifier`.

    Parameters
    ----------
    n_jobs : int, optional
        Outside of an MPI launcher: how many ranks to start for the job; -1 for one on every core.

    Attributes
    ----------
    model_ : EnsembleModel
    run_directory_ : str
        As for `AutoMLClassifier`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
    """

    def score(self, X: Any, y: Any) -> float:
        """As of `AutoMLClassifier`."""
        return self._score(X, y)

    def _checked_target(self, y: Any) -> Any:
        if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1:
            return check_array(y, dtype=np.float64)
        y = column_or_1d(y, warn=True)
        return check_array(y, dtype=np.float64, ensure_2d=False)

    def _task_type(self, y: Any) -> str:
        return "regression" if y.ndim == 1 else "multioutput"
