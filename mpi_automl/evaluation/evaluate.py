"""The value of one configuration: fit on every fold, predict its validation rows, and score."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.evaluation.budget import nested_subset, shares
from mpi_automl.evaluation.fitting import FitOptions, fit
from mpi_automl.evaluation.setup import take_rows, writable
from mpi_automl.evaluation.trial_status import TimeLimitError
from mpi_automl.metrics.kind import metric_kind
from mpi_automl.space.predictions import UnusablePredictionsError, predict
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.resampling import Fold
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.space.space import Candidate

_PARTIAL_FROM = 0.1
"""Partial predictions are made only after this share of the time: before, losing them costs little."""
_HOPELESS = 1.5
"""The first fold has imports to pay for: later ones may take two thirds of its time."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the evaluation of a configuration came to.

    Attributes
    ----------
    status : Status
        SUCCESS or PRUNED; failures are exceptions.
    cost : float
        Of all validation rows, pooled; of a pruned one the mean of its folds.
    predictions, test_predictions : ndarray of float32 or None
        As in `mpi_automl.trial.Result`.
    scores : dict of str to float
    fit_seconds, predict_seconds : float
        Wall time.
    reason : str
        Where a success is less than it could have been: why.
    iterations : int
        Of early-stopped boosting, the mean over the folds; 0 for other learners.
    models : list
        The fitted pipelines, one for each fold.
    """

    status: Status
    cost: float
    predictions: NDArray[np.float32] | None
    test_predictions: NDArray[np.float32] | None
    scores: dict[str, float]
    fit_seconds: float
    predict_seconds: float
    reason: str = ""
    iterations: int = 0
    models: list[Any] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Assignment:
    """What is to be evaluated, and how long that may take.

    Attributes
    ----------
    vector : ndarray of float64
    seed : int
    budget : float
        Share of the full budget, in (0, 1], see `mpi_automl.evaluation.budget.shares`.
    deadline : float
        On the clock of `time.monotonic`.
    iterations : int
        Of boosting that is fitted without validation rows, as found before; 0: its default.
    prune_above : float
        The evaluation ends when the mean cost of its folds so far is above this.
    """

    vector: NDArray[np.float64]
    seed: int
    budget: float = 1.0
    deadline: float = np.inf
    iterations: int = 0
    prune_above: float = np.inf


def evaluate(
    setup: EvaluationSetup, assignment: Assignment, on_partial: Callable[[Evaluation], None] | None = None
) -> Evaluation:
    """Evaluate a configuration.

    Parameters
    ----------
    setup : EvaluationSetup
    assignment : Assignment
    on_partial : callable, optional
        Called with the outcome so far whenever a stage leaves predictions for all validation rows.

    Raises
    ------
    UnusablePredictionsError
        If predictions or cost are of no use.
    TimeLimitError
        If the first folds took so long that the others would end long after the deadline.
    Exception
        Whatever the pipeline raises.
    """
    return _EvaluationInProgress(setup, assignment, on_partial).run()


def refit(setup: EvaluationSetup, assignment: Assignment) -> tuple[Any, str]:
    """Fit a configuration on all rows with the full budget; gives the pipeline, and where staged fitting stopped."""
    fit = _Fit(setup, replace(assignment, budget=1.0), np.arange(setup.task.profile.n_rows))
    note = fit.run(assignment.deadline)
    return fit.pipeline, note


class _EvaluationInProgress:
    """The evaluation of one configuration in progress."""

    def __init__(
        self, setup: EvaluationSetup, assignment: Assignment, on_partial: Callable[[Evaluation], None] | None
    ) -> None:
        self.setup = setup
        self.assignment = assignment
        self.on_partial = on_partial
        self.started = time.monotonic()
        self.predict_seconds = 0.0
        self.partial_seconds = 0.0
        self.fit_seconds = 0.0
        n_outputs = setup.task.profile.n_outputs
        n_test = 0 if setup.task.X_test is None else setup.task.X_test.shape[0]
        self.totals = np.zeros((len(setup.resampling.validation_rows), n_outputs))
        self.test_total = np.zeros((n_test, n_outputs))
        self.counts = np.zeros(len(self.totals), dtype=np.int64)
        self.models: list[Any] = []
        self.iterations: list[int] = []
        self.fold_costs: list[float] = []
        self.notes: list[str] = []

    def run(self) -> Evaluation:
        folds = self.setup.resampling.folds
        for number, fold in enumerate(folds):
            self._evaluate_fold(fold, len(folds) - number)
            if number + 1 < len(folds):
                self._check_pace(number + 1, len(folds))
                if self.fold_costs and np.mean(self.fold_costs) > self.assignment.prune_above:
                    return self._pruned(len(folds))
        return replace(self._outcome(self.totals, self.test_total, len(folds)), models=self.models)

    def _check_pace(self, folds_done: int, n_folds: int) -> None:
        """Give up a trial whose folds take so long that the last one cannot end in time."""
        elapsed = time.monotonic() - self.started
        needed = elapsed / folds_done * n_folds
        if needed > _HOPELESS * (self.assignment.deadline - self.started):
            raise TimeLimitError(f"time limit: {folds_done} of {n_folds} folds took {elapsed:.1f} s")

    def _pruned(self, n_folds: int) -> Evaluation:
        return Evaluation(
            status=Status.PRUNED,
            cost=float(np.mean(self.fold_costs)),
            predictions=None,
            test_predictions=None,
            scores={},
            fit_seconds=self.fit_seconds,
            predict_seconds=self.predict_seconds,
            reason=f"pruned after {len(self.fold_costs)} of {n_folds} folds",
        )

    def _evaluate_fold(self, fold: Fold, folds_left: int) -> None:
        now = time.monotonic()
        deadline = now + (self.assignment.deadline - now) / folds_left
        positions = np.searchsorted(self.setup.resampling.validation_rows, fold.validation)
        started, partial_before = now, self.partial_seconds
        fit = _Fit(self.setup, self.assignment, fold.train, fold.validation)

        def on_stage() -> None:
            if folds_left == 1 and self.on_partial is not None and self._partial_is_worthwhile():
                partial_started = time.monotonic()
                self._report_partial(fit.pipeline, fold, positions)
                self.partial_seconds += time.monotonic() - partial_started

        note = fit.run(deadline, on_stage)
        self.fit_seconds += time.monotonic() - started - (self.partial_seconds - partial_before)
        if note:
            self.notes.append(note)
        predictions, test_predictions = self._predict(fit.pipeline, fold)
        self.totals[positions] += predictions
        self.counts[positions] += 1
        self.test_total += test_predictions
        if self.assignment.prune_above < np.inf:
            self.fold_costs.append(_fold_cost(self.setup, fold, predictions))
        self.iterations.append(fit.iterations)
        self.models.append(fit.pipeline)

    def _partial_is_worthwhile(self) -> bool:
        now = time.monotonic()
        return now - self.started > _PARTIAL_FROM * (self.assignment.deadline - self.started)

    def _predict(self, pipeline: Any, fold: Fold) -> tuple[NDArray[np.float32], Any]:
        task = self.setup.task
        started = time.monotonic()
        n_outputs = task.profile.n_outputs
        predictions = predict(pipeline, take_rows(task.X, fold.validation), task.type, n_outputs)
        test_predictions = 0.0 if task.X_test is None else predict(pipeline, task.X_test, task.type, n_outputs)
        self.predict_seconds += time.monotonic() - started
        return predictions, test_predictions

    def _report_partial(self, pipeline: Any, fold: Fold, positions: NDArray[np.int64]) -> None:
        assert self.on_partial is not None
        predictions, test_predictions = self._predict(pipeline, fold)
        totals = self.totals.copy()
        totals[positions] += predictions
        self.counts[positions] += 1
        n_folds = len(self.setup.resampling.folds)
        self.on_partial(self._outcome(totals, self.test_total + test_predictions, n_folds))
        self.counts[positions] -= 1

    def _outcome(self, totals: NDArray[Any], test_total: NDArray[Any], n_folds: int) -> Evaluation:
        rows = self.setup.resampling.validation_rows
        predictions = (totals / self.counts[:, None]).astype(np.float32)
        has_test = self.setup.task.X_test is not None
        y = self.setup.task.y[rows]
        task_type = self.setup.task.type
        return Evaluation(
            status=Status.SUCCESS,
            cost=self._cost(rows, predictions),
            predictions=predictions,
            test_predictions=(test_total / n_folds).astype(np.float32) if has_test else None,
            scores={m.name: _score(m, y, predictions, task_type) for m in self.setup.extra_metrics},
            fit_seconds=self.fit_seconds,
            predict_seconds=self.predict_seconds,
            reason=_one_note(self.notes),
            iterations=round(float(np.mean(self.iterations))) if self.iterations else 0,
        )

    def _cost(self, rows: NDArray[np.int64], predictions: NDArray[np.float32]) -> float:
        task = self.setup.task
        cost = self.setup.metric.cost(task.y[rows], predictions, task.type)
        if not np.isfinite(cost):
            raise UnusablePredictionsError(f"{self.setup.metric.name} of the predictions is {cost}")
        return float(cost)


def _score(metric: Any, y: NDArray[Any], predictions: NDArray[np.float32], task_type: Any) -> float:
    """A further metric; one that cannot be computed must not cost the trial."""
    try:
        return float(metric.score(y, predictions, task_type))
    except ValueError:
        return float("nan")


def _fold_cost(setup: EvaluationSetup, fold: Fold, predictions: NDArray[np.float32]) -> float:
    """Cost of one fold; NaN where the metric is not defined for its rows."""
    try:
        return float(setup.metric.cost(setup.task.y[fold.validation], predictions, setup.task.type))
    except Exception:  # noqa: BLE001  # a user's metric may fail in any way on few rows, and all rows are what counts
        return float("nan")


def _one_note(notes: Sequence[str]) -> str:
    more = f" (and in {len(notes) - 1} more folds)" if len(notes) > 1 else ""
    return notes[0] + more if notes else ""


class _Fit:
    """A candidate that is fitted on rows, watching others where its learner stops early by them.

    Parameters
    ----------
    setup : EvaluationSetup
    assignment : Assignment
    rows : ndarray of int64
    validation : ndarray of int64, optional
    """

    def __init__(
        self,
        setup: EvaluationSetup,
        assignment: Assignment,
        rows: NDArray[np.int64],
        validation: NDArray[np.int64] | None = None,
    ) -> None:
        self._setup, self._assignment, self._validation = setup, assignment, validation
        self._candidate = self._build()
        of_rows, self._share = shares(setup.fidelity, self._candidate, assignment.budget)
        self._rows = nested_subset(rows, setup.task.y[rows], of_rows)

    def _build(self) -> Candidate:
        setup = self._setup
        kind = metric_kind(setup.metric, setup.task.type)
        return setup.space.build(self._assignment.vector, self._assignment.seed, setup.threads, kind)

    @property
    def pipeline(self) -> Any:
        """The pipeline, fitted after `run`."""
        return self._candidate.pipeline

    @property
    def iterations(self) -> int:
        """Iterations that early stopping found; 0 for other learners."""
        return int(self.pipeline.steps[-1][1].n_iterations_) if self._candidate.early_stopping else 0

    @property
    def _predicted_rows(self) -> int:
        """Rows that are predicted after the fit; none after a refit."""
        if self._validation is None:
            return 0
        X_test = self._setup.task.X_test
        return len(self._validation) + (0 if X_test is None else X_test.shape[0])

    def run(self, deadline: float, on_stage: Callable[[], None] | None = None) -> str:
        """Fit; where a learner insists on writing to its table, a fresh candidate on a copy."""
        task = self._setup.task
        X, y = take_rows(task.X, self._rows), take_rows(task.y, self._rows)
        options = FitOptions(
            deadline,
            self._share,
            self._setup.staged_fitting,
            self._assignment.iterations or None,
            self._predicted_rows,
            on_stage,
        )
        validation = None
        if self._validation is not None and self._candidate.early_stopping:
            validation = take_rows(task.X, self._validation), take_rows(task.y, self._validation)
        try:
            return fit(self._candidate, X, y, options, validation)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            self._candidate = self._build()
            return fit(self._candidate, writable(X), writable(y), options, validation)
