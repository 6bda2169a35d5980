"""Fitting one pipeline, in steps where its learner can grow, so that what it has learned by the end counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.space.component import StagedFitting
    from mpi_automl.space.space import Candidate

_SAFETY = 0.8
"""Share of the remaining time that a step is planned to take at most: later steps may be dearer."""


def fit(
    candidate: Candidate,
    X: Any,
    y: NDArray[Any],
    *,
    deadline: float,
    grown: Callable[[], None] | None = None,
    share: float = 1.0,
    in_steps: bool = True,
) -> str:
    """Fit a pipeline, and stop growing its learner in time.

    Parameters
    ----------
    candidate : Candidate
        Its pipeline is fitted in place.
    X : table, n_rows rows
    y : ndarray, n_rows rows
    deadline : float
        On the clock of `time.monotonic`; infinity for none. A learner that grows doubles its size until the next step
        would pass this; one that does not is fitted in one go, whatever it takes.
    grown : callable, optional
        Called after every step but the last, when the pipeline can predict.
    share : float
        Of its full size, up to which a learner grows, in (0, 1].
    in_steps : bool
        False fits learners that grow in one go, too.

    Returns
    -------
    str
        Empty, or that and where growing was cut short.
    """
    weight = candidate.sample_weight(y)
    pipeline = candidate.pipeline
    if candidate.growth is None:
        last = pipeline.steps[-1][0]
        pipeline.fit(X, y, **({} if weight is None else {f"{last}__sample_weight": weight}))
        return ""
    transformed = pipeline[:-1].fit_transform(X, y) if len(pipeline.steps) > 1 else X
    weights = {} if weight is None else {"sample_weight": weight}
    learner, growth = pipeline.steps[-1][1], candidate.growth.part(share)
    if not in_steps:
        learner.set_params(**{growth.parameter: growth.maximum}).fit(transformed, y, **weights)
        return ""
    return _grow(learner, growth, (transformed, y, weights), deadline, grown)


def _grow(
    learner: Any,
    growth: StagedFitting,
    data: tuple[Any, Any, dict[str, Any]],
    deadline: float,
    grown: Callable[[], None] | None,
) -> str:
    X, y, weights = data
    continues = bool(learner.get_params(deep=False).get("warm_start", False))
    size, previous = min(growth.start, growth.maximum), 0
    while True:
        started = time.monotonic()
        learner.set_params(**{growth.parameter: size})
        learner.fit(X, y, **weights)
        now = time.monotonic()
        if growth.finished(learner):
            return ""
        pace = (size - previous if continues else size) / max(now - started, 1e-6)
        # There may be no deadline; far beyond the full size makes no difference.
        further = min(_SAFETY * (deadline - now) * pace, 4.0 * growth.maximum)
        affordable = int(further) + (size if continues else 0)
        if affordable < size + max(1, size // 20):
            return f"time limit: stopped at {growth.parameter}={size} of {growth.maximum}"
        if grown is not None:
            grown()
        size, previous = min(2 * size, affordable, growth.maximum), size
