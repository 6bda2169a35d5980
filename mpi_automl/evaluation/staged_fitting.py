"""Fitting one pipeline, in stages where its learner can, so that what it has learned by the deadline counts."""

from __future__ import annotations

import time
from collections.abc import Callable
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


def fit(
    candidate: Candidate,
    X: Any,
    y: NDArray[Any],
    *,
    deadline: float,
    on_stage: Callable[[], None] | None = None,
    share: float = 1.0,
    staged: bool = True,
) -> str:
    """Fit a pipeline; staged fitting stops before the deadline.

    Parameters
    ----------
    candidate : Candidate
        Its pipeline is fitted in place.
    X : table, n_rows rows
    y : ndarray, n_rows rows
    deadline : float
        On the clock of `time.monotonic`; infinity for none. Staged fitting doubles the learner's size until the next
        stage would pass this; a learner without is fitted in one go, whatever it takes.
    on_stage : callable, optional
        Called after every stage but the last, when the pipeline can predict.
    share : float
        Of its full size, up to which the learner is fitted, in (0, 1].
    staged : bool
        False fits every learner in one go.

    Returns
    -------
    str
        Empty, or that and where the deadline stopped staged fitting.
    """
    weight = candidate.sample_weight(y)
    pipeline = candidate.pipeline
    if candidate.staged_fitting is None:
        last = pipeline.steps[-1][0]
        pipeline.fit(X, y, **({} if weight is None else {f"{last}__sample_weight": weight}))
        return ""
    transformed = pipeline[:-1].fit_transform(X, y) if len(pipeline.steps) > 1 else X
    weights = {} if weight is None else {"sample_weight": weight}
    learner, stages = pipeline.steps[-1][1], candidate.staged_fitting.part(share)
    if not staged:
        learner.set_params(**{stages.parameter: stages.maximum}).fit(transformed, y, **weights)
        return ""
    return _fit_in_stages(learner, stages, (transformed, y, weights), deadline, on_stage)


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
