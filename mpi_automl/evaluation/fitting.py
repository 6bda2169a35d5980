"""Fitting one pipeline; a learner with stages or early stopping ends in time, and what it has learned counts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.space.component import StagedFitting
    from mpi_automl.space.space import Candidate

_SAFETY = 0.8
"""Share of the remaining time that a stage is planned to take at most: later iterations may be dearer."""
_LEAST_GAIN = 20
"""A further stage has to add a twentieth of the size: for less, the overhead of another fit does not pay."""
_BEYOND = 4.0
"""There may be no deadline; to plan this many times the full size makes no difference."""


@dataclass(frozen=True)
class FitOptions:
    """How far a pipeline is fitted.

    Attributes
    ----------
    deadline : float
        On the clock of `time.monotonic`; infinity for none. Staged fitting doubles the learner's size until the next
        stage would pass this, and early-stopped boosting ends there; other learners are fitted in one go, whatever it
        takes.
    share : float
        Of its full size, up to which a learner with staged fitting is fitted, in (0, 1].
    staged : bool
        False fits every learner in one go.
    iterations : int or None
        Of boosting without validation rows; None: its default.
    predicted_rows : int
        That boosting leaves time for before the deadline.
    on_stage : callable or None
        Called after every stage but the last, when the pipeline can predict.
    """

    deadline: float = math.inf
    share: float = 1.0
    staged: bool = True
    iterations: int | None = None
    predicted_rows: int = 0
    on_stage: Callable[[], None] | None = None


def fit(
    candidate: Candidate, X: Any, y: NDArray[Any], options: FitOptions, validation: tuple[Any, NDArray[Any]] | None
) -> str:
    """Fit a pipeline; where its learner can, staged or early-stopped fitting ends before the deadline.

    Parameters
    ----------
    candidate : Candidate
        Its pipeline is fitted in place.
    X : table, n_rows rows
    y : ndarray, n_rows rows
    options : FitOptions
    validation : (X, y) or None
        Rows on which boosting finds its number of iterations.

    Returns
    -------
    str
        Empty, or that and where the deadline stopped the fit.
    """
    weight = candidate.sample_weight(y)
    pipeline = candidate.pipeline
    if candidate.staged_fitting is None and not candidate.early_stopping:
        last = pipeline.steps[-1][0]
        pipeline.fit(X, y, **({} if weight is None else {f"{last}__sample_weight": weight}))
        return ""
    has_steps = len(pipeline.steps) > 1
    transformed = pipeline[:-1].fit_transform(X, y) if has_steps else X
    weights = {} if weight is None else {"sample_weight": weight}
    learner = pipeline.steps[-1][1]
    if candidate.early_stopping:
        if validation is not None and has_steps:
            validation = pipeline[:-1].transform(validation[0]), validation[1]
        limits = {"iterations": options.iterations, "deadline": options.deadline}
        limits["predicted_rows"] = options.predicted_rows
        learner.fit(transformed, y, **weights, validation=validation, **limits)
        return f"time limit: stopped after {learner.n_iterations_} iterations" if learner.is_late_ else ""
    assert candidate.staged_fitting is not None
    stages = candidate.staged_fitting.part(options.share)
    if not options.staged:
        learner.set_params(**{stages.parameter: stages.maximum}).fit(transformed, y, **weights)
        return ""
    return _fit_in_stages(learner, stages, (transformed, y, weights), options.deadline, options.on_stage)


def _fit_in_stages(
    learner: Any,
    stages: StagedFitting,
    data: tuple[Any, Any, dict[str, Any]],
    deadline: float,
    on_stage: Callable[[], None] | None,
) -> str:
    X, y, weights = data
    continues = bool(learner.get_params(deep=False).get("warm_start", False))
    size, previous = min(stages.start, stages.maximum), 0
    while True:
        started = time.monotonic()
        learner.set_params(**{stages.parameter: size})
        learner.fit(X, y, **weights)
        now = time.monotonic()
        if stages.finished(learner):
            return ""
        pace = (size - previous if continues else size) / max(now - started, 1e-6)
        further = min(_SAFETY * (deadline - now) * pace, _BEYOND * stages.maximum)
        affordable = int(further) + (size if continues else 0)
        if affordable < size + max(1, size // _LEAST_GAIN):
            return f"time limit: stopped at {stages.parameter}={size} of {stages.maximum}"
        if on_stage is not None:
            on_stage()
        size, previous = min(2 * size, affordable, stages.maximum), size
