"""`AutoMLClassifier`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from mpi_automl.estimators.automl import AutoMLEstimator

if TYPE_CHECKING:
    from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.estimators.jobs import in_own_words


class AutoMLClassifier(ClassifierMixin, AutoMLEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classifier that searches for the best ensemble of pipelines.

    Its `fit` is a whole MPI job: see there how ranks work together. It predicts with an ensemble of the best pipelines.

    Parameters
    ----------
    metric : str, default="auto"
        Metric to optimise: a name, or package.module:function; auto is accuracy or r2. auto-sklearn: ``metric``.
    extra_metrics : str or sequence of str, default=()
        Further metrics, recorded for every trial and shown in the leaderboard. auto-sklearn: ``scoring_functions``.
    time : float or str, default=3600.0
        Wall time of the whole job, from start to exit; auto: the time left that Slurm, PBS, LSF or
        $MPI_AUTOML_TIME_LEFT reports. In seconds, or a text such as ``15m``. auto-sklearn: ``time_left_for_this_task``.
    heartbeat_timeout : float or str, default=60.0
        Silence after which a rank is reported as stuck. In seconds, or a text such as ``15m``.
    trials : int, optional
        Trials of each rank after which the search ends early. By default no limit. auto-sklearn: ``smac_scenario_args
        (runcount_limit)``.
    time_total : float or str, optional
        Wall time of all legs of the run together; a leg ends when it is used up, and a command that leaves some of it
        unused exits with status 75. In seconds, or a text such as ``15m``. By default no limit.
    shutdown_time : float or str, default=30.0
        Time for the ensemble after a signal to stop. In seconds, or a text such as ``15m``.
    seed : int, default=1
        Seed of the run; each rank derives its own from it. auto-sklearn: ``seed``.
    share : {"none", "incumbents", "history"}, default="history"
        What ranks send each other: nothing, new incumbents, or every finished trial. auto-sklearn: ``shared_mode``.
    fidelity : {"none", "rows", "iterations"}, default="none"
        Multi-fidelity: start on fewer rows or iterations, promote the best.
    eta : int, default=3
        Factor between two budgets of `fidelity`; one trial in N is promoted.
    min_budget : float, default=0.1
        Smallest budget of `fidelity`, as a share of the full one.
    deterministic : bool, default=False
        Repeatable run: same seed and number of ranks, same trials, costs, ensemble and predictions; needs `trials`, and
        ranks wait for each other.
    exchange_every : int, default=4
        Trials of each rank between two exchanges, with `deterministic`.
    initial_design : str, default="portfolio"
        First configurations: default, portfolio, random, sobol, or a JSON file. auto-sklearn:
        ``initial_configurations_via_metalearning``.
    warm_start : str or sequence of str, default=()
        Directories of earlier runs on this or a similar table; their best configurations are tried first.
    include : str or sequence of str, default=()
        Components to search, as step:component; the others of that step are left out. auto-sklearn: ``include``.
    exclude : str or sequence of str, default=()
        Components to leave out, as step:component. auto-sklearn: ``exclude``.
    plugins : str or sequence of str, default=()
        Python modules that register components; imported first. auto-sklearn: ``add_classifier, add_regressor,
        add_preprocessor``.
    trial_time : float or str, optional
        Wall time limit of one trial. In seconds, or a text such as ``15m``. By default a fifth of `time`; two fifths
        for a very large table. auto-sklearn: ``per_run_time_limit``.
    trial_memory : float or str, default=3072.0
        Memory limit of one trial: what it adds to the memory of its rank. In MiB, or a text such as ``2GiB``.
        auto-sklearn: ``memory_limit``.
    resampling : str, default="auto"
        How validation rows are chosen: auto, holdout, cv, repeated-cv, group, time-series, or a scikit-learn splitter
        as package.module:Class(arguments). auto-sklearn: ``resampling_strategy``.
    holdout_share : float, optional
        Share of the rows that a holdout validates on. By default a third; of more than 90,000 rows 30,000, and at least
        a tenth. auto-sklearn: ``resampling_strategy_arguments (train_size)``.
    folds : int, default=5
        Folds of cross-validation. auto-sklearn: ``resampling_strategy_arguments (folds)``.
    repeats : int, default=2
        Repetitions of repeated-cv.
    staged_fitting : bool, default=True
        Fit learners with iterations in stages; a trial that reaches its time limit counts with the iterations it
        finished. auto-sklearn: ``resampling_strategy (...-iterative-fit)``.
    threads : int or "auto", default=1
        Threads of one evaluation; auto: all cores that each rank has for itself.
    scratch : str, optional
        Directory for the node's copy of the table. By default /dev/shm or $TMPDIR, whichever has room.
    ensemble_size : int, default=50
        Rounds of ensemble selection. auto-sklearn: ``ensemble_size``.
    ensemble_nbest : int or float, default=50
        Candidates for the ensemble: the best N, or a share of all. auto-sklearn: ``ensemble_nbest``.
    ensemble_method : {"greedy", "single_best", "stacking", "auto"}, default="greedy"
        How members are chosen and combined; auto compares the others and takes the best. auto-sklearn:
        ``ensemble_class``.
    ensemble_metric : str, default="auto"
        Metric of greedy selection: a name, or same for `metric`; auto is the Brier score in place of accuracy, log loss
        in place of ROC AUC, else that of `metric`.
    performance_range : float, default=0.0
        Minimum quality of a candidate: 0 = baseline, 1 = best trial. auto-sklearn: ``performance_range_threshold``.
    ensemble_bags : int, default=10
        Random halves of the validation rows to select by, if the target has classes; the selections are averaged; 0:
        one selection by all rows, unchecked.
    final_models : {"auto", "folds", "refit"}, default="auto"
        Models of each ensemble member: those of its folds, averaged, or one refitted on all rows; auto refits after a
        holdout or time-series split, whose models have not seen every row. auto-sklearn: ``refit()``.
    final_time : float or str, optional
        Time reserved for refitting members, if they are refitted. In seconds, or a text such as ``15m``. By default a
        tenth of `time`, or less if members need less.
    categorical : str or sequence of str, default=()
        Columns to read as categories. auto-sklearn: ``fit(feat_type)``.
    text : str or sequence of str, default=()
        Columns to read as free text. auto-sklearn: ``fit(feat_type)``.
    drop : str or sequence of str, default=()
        Columns to leave out.
    drop_missing_targets : bool, default=False
        Leave out rows whose target is missing.
    groups : str, optional
        Column whose equal values stay together in every split; not used as a feature. auto-sklearn:
        ``resampling_strategy_arguments (groups)``.
    out : str, optional
        Run directory to create. By default a temporary directory, removed with the estimator, if it runs alone; else
        one in the working directory. auto-sklearn: ``tmp_folder``.
    resume : str, optional
        Run directory to resume in a new leg; auto resumes `out` if it exists.
    predictions_per_rank : int, default=200
        Trials of each rank whose predictions are kept.
    models_on_disk : int or str, default=50
        Fitted models that each rank keeps: those of its best N trials, or of as many as fit into a size such as 2GiB.
        auto-sklearn: ``max_models_on_disc``.
    flush : float or str, default=30.0
        Longest time between flushes to disk. In seconds, or a text such as ``15m``.
    disk_limit : float or str, optional
        Size limit of the run directory, models included. In MiB, or a text such as ``2GiB``. By default no limit.
    store : {"auto", "shared", "per-rank"}, default="auto"
        Prediction store: one file shared by all ranks (needs a parallel h5py), or one file per rank; auto: shared with
        several ranks, if h5py and the file system allow it.
    alignment : float or str, default=0.0
        Alignment of large datasets in a file, such as the file system's stripe size. In MiB, or a text such as
        ``2GiB``.
    mpiio_hints : str or sequence of str, default=()
        MPI-IO hints for the shared file, as name=value with commas between them.
    n_jobs : int, optional
        Number of ranks to start for the job, when no launcher has started any; -1 starts one for each core. By default
        one rank, this process. auto-sklearn: ``n_jobs``.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels in the order of the columns of `predict_proba`; for several labels, a list with one array for each.
    model_ : mpi_automl.ensemble.model.EnsembleModel
        The final model.
    run_directory_ : str
        Directory with the files of the run.
    n_features_in_ : int
        Number of columns in training.
    feature_names_in_ : ndarray of str, shape (n_columns,)
        Names of the columns in training, if they were all texts.
    """

    def score(self, X: Any, y: Any) -> float:
        """Score predictions by the metric that the ensemble was selected by.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
            Rows with the columns of the training table.
        y : array-like, shape (n_rows,) or (n_rows, n_labels)
            True labels.

        Returns
        -------
        float
            Greater is better: errors and losses are negative.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns do not fit the training table, or a label is unknown.
        """
        # scikit-learn's mixin, which must come first, has one of its own.
        return self._score(X, y)

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
            Rows with the columns of the training table.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes) or (n_rows, n_labels)
            Probabilities of the classes in the order of `classes_`, or of each label being 1. A DataFrame after
            ``set_output(transform="pandas")``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns do not fit the training table, or the model of a member cannot be loaded.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        schema = self.model_.schema
        columns = schema.target_names if schema.classes is None else schema.classes.tolist()
        return self._wrapped(in_own_words(lambda: self.model_.predict_proba(X)), X, columns)

    def _adopt(self, model: EnsembleModel) -> Any:
        super()._adopt(model)
        labels = [known.values for known in self.model_.schema.target.labels]
        self.classes_ = labels[0] if len(labels) == 1 else labels
        return self

    def _checked_target(self, y: Any) -> Any:
        if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1:
            return check_array(y, accept_sparse=False, dtype=None)
        y = _without_objects(column_or_1d(y, warn=True))
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


def _without_objects(y: Any) -> Any:
    """Numbers and truth values that came as objects in a dtype of their own; anything else as it is."""
    if getattr(y, "dtype", np.dtype(int)).kind != "O":
        return y
    inferred = pd.Series(y, dtype=object).infer_objects()
    return inferred.to_numpy() if getattr(inferred.dtype, "kind", "O") in "biuf" else y
