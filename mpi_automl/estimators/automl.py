"""What `AutoMLClassifier` and `AutoMLRegressor` have in common: a job as a scikit-learn estimator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from mpi_automl.estimators import results
from mpi_automl.estimators.agreement import Prepared, is_root
from mpi_automl.estimators.evaluated import EvaluationMixin
from mpi_automl.estimators.fitted_model import TemporaryRun, check_origin
from mpi_automl.estimators.jobs import Data, JobOutcome, in_own_words, run_here
from mpi_automl.estimators.launched_job import run_launched
from mpi_automl.estimators.output import OutputMixin
from mpi_automl.estimators.parameters import EstimatorParameters
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.runs.leaderboard import leaderboard
from mpi_automl.runs.rebuild import rebuild_ensemble
from mpi_automl.runs.run import Run
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.settings import Settings

_FEATURES = ("n_features_in_", "feature_names_in_")
"""What scikit-learn keeps of the columns."""


class AutoMLEstimator(OutputMixin, EvaluationMixin, EstimatorParameters):
    """What both estimators have in common; the kind of target is left to them."""

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

        All ranks call it with the same parameters; the data of rank 0 are used. Under a launcher (``mpirun python
        script.py``) the ranks search together. Without one this process searches alone, or starts `n_jobs` ranks
        for this job.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
            Training rows. A DataFrame may hold numbers, categories, texts, dates and missing values.
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
            Labels or values. For several labels: 0 or 1 in each column.
        X_test, y_test : as `X` and `y`, optional
            Test rows. Every trial predicts and scores them; nothing is learned from them.
        dataset_name : str, default="table"
            Name of the table in reports.
        comm : mpi4py.MPI.Intracomm, optional
            Ranks that search; by default all ranks that the launcher started. It is not kept.

        Returns
        -------
        self
            Fitted, on every rank.

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used.
        RuntimeError
            If the ranks started for `n_jobs` fail.
        KeyboardInterrupt
            After SIGINT (Ctrl-C), once the estimator is fitted with what was finished.
        SystemExit
            Likewise after SIGTERM, and under a launcher after SIGINT too, with status 75.
        """

        def prepare(out: str | None) -> tuple[Settings, Data]:
            if not is_root(comm):
                return self._settings(out=out), Data(None, None, None, None, dataset_name)
            checked = self._checked_training(X, y)
            features = {name: getattr(self, name) for name in _FEATURES if hasattr(self, name)}
            settings = self._settings(task=self._task_type(checked[1]), out=out)
            return settings, Data(*checked, X_test, y_test, dataset_name, features)

        self._run_job(prepare, comm)
        return self

    def _run_job(self, prepare: Callable[[str | None], tuple[Settings, Data]], comm: Any) -> None:
        """Collective. Search, and be fitted with the result, also when a signal ends the search."""
        alone = comm is None and not detect_launch().is_parallel
        temporary = TemporaryRun() if alone and self.out is None and self.resume is None else None
        out = self.out if temporary is None else temporary.path
        ranks = (os.cpu_count() or 1) if self.n_jobs == -1 else self.n_jobs or 1

        def search() -> JobOutcome:
            if alone and ranks > 1:
                settings, data = prepare(out)
                return replace(run_launched(settings, data, ranks), features=data.features)
            return run_here(lambda: prepare(out), comm)

        outcome = in_own_words(search)
        if outcome.directory is not None:
            for name, value in outcome.features.items():
                setattr(self, name, value)
            self.run_directory_, self._temporary_run = str(outcome.directory), temporary
            model = RunDirectory(outcome.directory).model
            self._adopt(in_own_words(lambda: results.load_on_ranks(comm, model, self._trusted)))
        if outcome.interruption is not None:
            outcome.interruption.deliver(is_temporary=temporary is not None)

    def predict(self, X: Any) -> Any:
        """Predict labels or values.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
            Rows with the columns of the training table.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_targets)
            Labels or values as in training. A Series or DataFrame after ``set_output(transform="pandas")``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns do not fit the training table, or the model of a member cannot be loaded.
        """
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
        """Collective. Build another ensemble from the trials of a run, and predict with it from then on.

        The new ensemble also becomes the final model of the run directory.

        Parameters
        ----------
        size : int, optional
            Rounds of ensemble selection, as the parameter `ensemble_size`; by default that of the run. So are the
            defaults of the next three.
        nbest : int or float, optional
            Candidates, as the parameter `ensemble_nbest`.
        metric : str, optional
            Metric to select by and to report, as the parameter `metric`.
        method : {"greedy", "single_best", "stacking", "auto"}, optional
            As the parameter `ensemble_method`.
        directory : str, optional
            Run directory, finished or not. An estimator that was never fitted can take over a run this way.
        comm : mpi4py.MPI.Intracomm, optional
            As for `fit`; ``MPI.COMM_SELF`` for one rank alone.

        Returns
        -------
        self
            With the new ensemble, on every rank.

        Raises
        ------
        NotFittedError
            Before `fit`, if no `directory` is given.
        ValueError
            If the directory is no run directory, an argument is wrong, or the run kept no models.
        """
        from mpi_automl.job.session import start_ranks

        prepared = Prepared(lambda: directory is not None or check_is_fitted(self), comm)
        changes: dict[str, Any] = {"size": size, "nbest": nbest, "method": method}

        def rebuild() -> tuple[EnsembleModel, Path]:
            with start_ranks(comm=comm, started=time.time(), check=prepared.check) as ranks:
                place = self.run_directory_ if directory is None else Path(directory).absolute()
                run = Run(place, metric, self._trusted)
                if directory is None:
                    ranks.world.on_root(lambda: check_origin(self.model_, run))
                rebuild_ensemble(ranks.world, run, **changes)
                return results.load_model(ranks.world, run.directory.model, self._trusted), run.path

        model, place = in_own_words(rebuild)
        return self._adopt(model) if directory is None else self._take_over(model, place)

    def refit(self, X: Any, y: Any, *, comm: Any = None) -> Any:
        """Collective. Refit the members of the ensemble on all rows given.

        The members are dealt over the ranks, and fitted in processes with limits: `time` for all, `trial_memory` and
        twice `trial_time` for each. Rank 0's rows count. A member that fails keeps its present models, with a warning.
        The run directory keeps its final model.

        Parameters
        ----------
        X, y
            As for `fit`.
        comm : mpi4py.MPI.Intracomm, optional
            As for `fit`; ``MPI.COMM_SELF`` for one rank alone.

        Returns
        -------
        self
            With the refitted members, on every rank.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the data do not fit the training table, or the run directory is missing.
        """

        def prepare() -> tuple[Settings, tuple[Any, Any]]:
            check_is_fitted(self)
            if not is_root(comm):
                return self._settings(), (None, None)
            rows = self._checked_training(X, y)
            return self._settings(task=self._task_type(rows[1])), rows

        def fitted() -> tuple[Run, EnsembleModel]:
            return Run(self.run_directory_, plugins=self._trusted), self.model_

        return self._adopt(in_own_words(lambda: results.refit(fitted, prepare, comm)))

    def leaderboard(self, *, ensemble_only: bool = False) -> pd.DataFrame:
        """List all trials, best first; trials that failed come last.

        Parameters
        ----------
        ensemble_only : bool, default=False
            Only members of the ensemble.

        Returns
        -------
        DataFrame, shape (n_trials, n_columns)
            Indexed by trial (``"<leg>-<rank>-<number>"``), with ``rank``, ``ensemble_weight``, ``type`` (the learner),
            ``value`` (of the metric), ``cost``, ``duration`` (seconds), ``status``, ``mpi_rank``, ``score_<metric>``
            for each of `extra_metrics`, and further columns of the store.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        table = leaderboard(self._finished_run, self.model_.weights)
        return table[table["ensemble_weight"] > 0] if ensemble_only else table

    def show_models(self) -> dict[str, dict[str, Any]]:
        """Describe the members of the ensemble, heaviest first.

        Returns
        -------
        dict of str to dict
            For each trial: ``ensemble_weight``, ``cost``, ``pipeline`` (one line of text), ``configuration`` (dict of
            hyperparameters), ``estimators`` (as `get_models_with_weights` gives them).

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        return results.members(self._finished_run, self.model_)

    def get_models_with_weights(self) -> list[tuple[float, Any]]:
        """Give the members of the ensemble, heaviest first.

        Returns
        -------
        list of (float, list)
            Weight, and fitted estimators as `fit_pipeline` gives them: one for each fold, or one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        return results.weighted_estimators(self.model_)

    def sprint_statistics(self) -> str:
        """Summarise the run.

        Returns
        -------
        str
            Some lines: metric, best validation value of a single trial, number of trials by status.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        return results.statistics(self._finished_run)

    @property
    def cv_results_(self) -> dict[str, NDArray[Any]]:
        """Trials in the form of scikit-learn's searches, in the order of the store.

        A dict of arrays of shape (n_trials,): ``mean_test_score`` (greater is better), ``rank_test_scores``,
        ``mean_fit_time`` (seconds), ``params``, ``status``, ``budgets``, ``model_ids``, and as masked arrays
        ``metric_<metric>`` and ``param_<hyperparameter>``.
        """
        check_is_fitted(self)
        return results.cv_results(self._finished_run)

    @property
    def performance_over_time_(self) -> pd.DataFrame:
        """Best validation score so far: one row for each incumbent, the best full trial so far.

        A DataFrame with ``Timestamp`` (end of the trial, UTC) and ``single_best_optimization_score``.
        """
        check_is_fitted(self)
        return results.performance_over_time(self._finished_run)

    @property
    def ensemble_(self) -> dict[TrialKey, float]:
        """Weights of the ensemble members by trial, heaviest first; they sum to 1."""
        check_is_fitted(self)
        return dict(self.model_.weights)

    def get_configuration_space(self, X: Any, y: Any) -> Any:
        """Give the search space for a table.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        ConfigSpace.ConfigurationSpace

        Raises
        ------
        ValueError
            If the data, `include`, `exclude` or another parameter cannot be used.
        """
        X, y = self._checked_training(X, y)
        settings = self._settings(task=self._task_type(y))
        return in_own_words(lambda: results.space_of(Data(X, y, None, None, "table"), settings)).configspace

    def fit_pipeline(self, X: Any, y: Any, config: Any) -> Any:
        """Fit one configuration on all rows, in this process and without limits of time or memory.

        Parameters
        ----------
        X, y
            As for `fit`.
        config : ConfigSpace.Configuration
            From `get_configuration_space` for the same table.

        Returns
        -------
        estimator
            A `sklearn.pipeline.Pipeline` that takes the encoded table; of values, an estimator with that pipeline as
            `regressor`, which predicts in the units of the table.

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used.
        """
        X, y = self._checked_training(X, y)
        settings = self._settings(task=self._task_type(y))
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
