"""The parameters of both estimators: options of `Settings` as a constructor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sklearn.base import BaseEstimator

from mpi_automl.settings import OPTIONS, Settings


class EstimatorParameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The constructor of both estimators, whose docstrings say what the parameters are.

    `jobs/make_option_reference.py` writes it from the options of `Settings`.
    """

    def __init__(
        self,
        *,
        metric: str = "auto",
        extra_metrics: str | Sequence[str] = (),
        time: float | str = 3600.0,
        heartbeat_timeout: float | str = 60.0,
        trials: int | None = None,
        time_total: float | str | None = None,
        shutdown_time: float | str = 30.0,
        seed: int = 1,
        share: Literal["none", "incumbents", "history"] = "history",
        fidelity: Literal["none", "rows", "iterations"] = "none",
        eta: int = 3,
        min_budget: float = 0.1,
        deterministic: bool = False,
        exchange_every: int = 4,
        initial_design: str = "portfolio",
        warm_start: str | Sequence[str] = (),
        include: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        plugins: str | Sequence[str] = (),
        trial_time: float | str | None = None,
        trial_memory: float | str = 3072.0,
        resampling: str = "auto",
        holdout_share: float | None = None,
        folds: int = 5,
        repeats: int = 2,
        staged_fitting: bool = True,
        threads: int | Literal["auto"] = 1,
        scratch: str | None = None,
        ensemble_size: int = 50,
        ensemble_nbest: int | float = 50,
        ensemble_method: Literal["greedy", "single_best", "stacking", "auto"] = "greedy",
        ensemble_metric: str = "auto",
        performance_range: float = 0.0,
        ensemble_bags: int = 10,
        final_models: Literal["auto", "folds", "refit"] = "auto",
        final_time: float | str | None = None,
        categorical: str | Sequence[str] = (),
        text: str | Sequence[str] = (),
        drop: str | Sequence[str] = (),
        drop_missing_targets: bool = False,
        groups: str | None = None,
        out: str | None = None,
        resume: str | None = None,
        predictions_per_rank: int = 200,
        models_on_disk: int | str = 50,
        flush: float | str = 30.0,
        disk_limit: float | str | None = None,
        store: Literal["auto", "shared", "per-rank"] = "auto",
        alignment: float | str = 0.0,
        mpiio_hints: str | Sequence[str] = (),
        n_jobs: int | None = None,
    ) -> None:
        self.metric = metric
        self.extra_metrics = extra_metrics
        self.time = time
        self.heartbeat_timeout = heartbeat_timeout
        self.trials = trials
        self.time_total = time_total
        self.shutdown_time = shutdown_time
        self.seed = seed
        self.share = share
        self.fidelity = fidelity
        self.eta = eta
        self.min_budget = min_budget
        self.deterministic = deterministic
        self.exchange_every = exchange_every
        self.initial_design = initial_design
        self.warm_start = warm_start
        self.include = include
        self.exclude = exclude
        self.plugins = plugins
        self.trial_time = trial_time
        self.trial_memory = trial_memory
        self.resampling = resampling
        self.holdout_share = holdout_share
        self.folds = folds
        self.repeats = repeats
        self.staged_fitting = staged_fitting
        self.threads = threads
        self.scratch = scratch
        self.ensemble_size = ensemble_size
        self.ensemble_nbest = ensemble_nbest
        self.ensemble_method = ensemble_method
        self.ensemble_metric = ensemble_metric
        self.performance_range = performance_range
        self.ensemble_bags = ensemble_bags
        self.final_models = final_models
        self.final_time = final_time
        self.categorical = categorical
        self.text = text
        self.drop = drop
        self.drop_missing_targets = drop_missing_targets
        self.groups = groups
        self.out = out
        self.resume = resume
        self.predictions_per_rank = predictions_per_rank
        self.models_on_disk = models_on_disk
        self.flush = flush
        self.disk_limit = disk_limit
        self.store = store
        self.alignment = alignment
        self.mpiio_hints = mpiio_hints
        self.n_jobs = n_jobs

    def _settings(self, **more: Any) -> Settings:
        """Settings that the parameters make, and `more` ones.

        Raises
        ------
        UserError
            If a value is wrong.
        """
        given = {name: value for name, value in self.get_params(deep=False).items() if name in OPTIONS}
        return Settings(**{"report": False, **given, **more})
