"""What a metric is, and how to declare one's own with the decorator `metric`.

Inside the package only the cost counts, which is minimised and zero at the optimum. `Metric.value` is the number
as the literature has it (a log loss of 0.3), `Metric.score` the same with the sign turned where smaller is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType, decide
from mpi_automl.data.units import TargetUnits

if TYPE_CHECKING:
    from mpi_automl.metrics.domain import Domain

Outputs = NDArray[np.float32]
"""Predictions of several candidates, shape (n_candidates, n_outputs, n_rows)."""
Costs = NDArray[np.float64]
Allowed = NDArray[np.bool_] | None


class Needs(str, Enum):
    """What the function of a metric takes as its second argument."""

    LABELS = "labels"
    """Codes of the decided classes, label indicators, or values: shaped as `y`."""
    PROBABILITIES = "probabilities"
    """All predictions, shape (n_rows, n_outputs)."""
    THRESHOLDS = "thresholds"
    """For two classes the probabilities of the second one, shape (n_rows,); else as probabilities."""


class Scorer(Protocol):
    """Scores an ensemble with each of several candidates added, all candidates at once."""

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """Cost of the ensemble's mean prediction if each candidate were added to it.

        Parameters
        ----------
        total : ndarray of float64, shape (n_rows, n_outputs)
            Sum of the members' predictions.
        members : int
            Number of members so far, repetitions counted.
        allowed : ndarray of bool, shape (n_candidates,), optional
            If given, only the best of these are wanted: another candidate may have any cost that is above theirs.

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
            Infinity where the metric is not defined.
        """


@dataclass(frozen=True)
class Metric:
    """A way to score predictions.

    Attributes
    ----------
    name : str
        Its name, or the import path of a user's own.
    function : callable
        Takes the true values and what `needs` says, both as float64 or int64 arrays; returns a float.
    task_types : frozenset of TaskType
        Where the metric is defined.
    needs : Needs
    optimum : float
        The best value there is, as `value` has it.
    greater_is_better : bool
    fast_scorers : mapping of TaskType to callable
        The fast form of the metric for ensemble selection, by task type. Each takes the candidates' predictions
        (`Outputs`), the truth (class codes in ascending order, label indicators or values) and the metric, and returns
        a `Scorer`, or None where it does not cover this truth. Without one, `function` is called for each candidate.
    degree : int or None
        Values in a unit `s` times larger make the metric ``s**degree`` times smaller, wherever their zero is, and that
        of several targets is the mean: then it is computed of standardised values. None where this does not hold: then
        it is computed in the units of the table.
    domain : Domain or None
        The values for which it is defined; None for all.
    units : TargetUnits or None
        In which truth and predictions are given; None for those of the table. The metric itself always is in those
        of the table.
    row_function : callable or None
        Takes what `function` takes and gives one value for each row, whose mean is the metric; None where there is no
        such function.
    """

    name: str
    function: Callable[[NDArray[Any], NDArray[Any]], float] = field(compare=False)
    task_types: frozenset[TaskType]
    needs: Needs = Needs.LABELS
    optimum: float = 1.0
    greater_is_better: bool = True
    fast_scorers: Mapping[TaskType, ScorerFactory] = field(default_factory=dict, compare=False, repr=False)
    degree: int | None = None
    domain: Domain | None = None
    units: TargetUnits | None = None
    row_function: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]] | None = field(
        default=None, compare=False, repr=False
    )

    def value(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> float:
        """The metric as the literature has it; NaN where it is not defined for these rows.

        Parameters
        ----------
        y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
            Class codes, label indicators or values.
        predictions : ndarray, shape (n_rows, n_outputs)
            Class or label probabilities, or values, of any float type.
        task_type : TaskType

        Raises
        ------
        ValueError
            If predictions are not finite, or outside of where the metric is defined.
        """
        return float(self._computed(self.function, y, predictions, task_type))

    def row_values(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> NDArray[np.float64] | None:
        """Values whose mean over any of the rows is `value`, shape (n_rows,); None where the metric is no such mean.

        Parameters and errors are those of `value`.
        """
        if self.row_function is None:
            return None
        return np.asarray(self._computed(self.row_function, y, predictions, task_type), dtype=np.float64)

    def _computed(
        self, function: Callable[..., Any], y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType
    ) -> Any:
        if not np.isfinite(predictions).all():
            raise ValueError("the predictions contain NaN or infinity")
        prepared = _prepared(predictions, self.needs, task_type)
        return function(y, prepared) if task_type.is_classification else self._of_values(function, y, prepared)

    def _of_values(self, function: Callable[..., Any], y: NDArray[Any], predictions: NDArray[np.float64]) -> Any:
        """The metric of values, both of shape (n_rows,) or (n_rows, n_outputs)."""
        if self.units is not None and self.degree is not None:
            factors = np.array(self.units.scale) ** self.degree
            if y.ndim == 1 or self.degree == 0:
                return factors[0] * function(y, predictions)
            columns = zip(factors, y.T, predictions.T, strict=True)
            return np.mean([factor * function(*column) for factor, *column in columns], axis=0)
        if self.units is not None:
            y, predictions = self.units.restore(y), self.units.restore(predictions)
        if self.domain is not None:
            self.domain.check(self.name, y)
            predictions = self.domain.clip(predictions, self.units, y)
        return function(y, predictions)

    def score(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> float:
        """The value with the sign turned where smaller is better, so that greater is always better."""
        value = self.value(y, predictions, task_type)
        return value if self.greater_is_better else -value

    def cost(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> float:
        """The distance to the optimum, to be minimised."""
        return float(self.cost_of(self.value(y, predictions, task_type)))

    def cost_of(self, value: Any) -> Any:
        """The cost that belongs to a value (or to an array of them)."""
        return self.optimum - value if self.greater_is_better else value - self.optimum

    def value_of(self, cost: Any) -> Any:
        """The value that belongs to a cost (or to an array of them)."""
        return self.optimum - cost if self.greater_is_better else cost + self.optimum


ScorerFactory = Callable[[Outputs, NDArray[Any], Metric], Scorer | None]


def _prepared(predictions: NDArray[Any], needs: Needs, task_type: TaskType) -> NDArray[Any]:
    if needs is Needs.LABELS:
        decided = decide(predictions, task_type)
        return decided if task_type.is_classification else decided.astype(np.float64)
    if needs is Needs.THRESHOLDS and task_type is TaskType.BINARY:
        predictions = predictions[:, 1]
    return predictions.astype(np.float64)


def metric(
    *,
    task_types: Iterable[TaskType | str] = tuple(TaskType),
    needs: Needs | str = Needs.LABELS,
    optimum: float = 1.0,
    greater_is_better: bool = True,
) -> Callable[[Callable[..., float]], Metric]:
    """Declare a function of the user's own as a metric (a decorator).

    Name it to a run by its import path, ``package.module:function``.

    Parameters
    ----------
    task_types : iterable of TaskType or str
        Where it is defined; by default everywhere.
    needs : {"labels", "probabilities", "thresholds"}
        What the function takes as its second argument, see `Needs`.
    optimum : float
        The best value there is.
    greater_is_better : bool

    Examples
    --------
    >>> from mpi_automl import metric
    >>> @metric(task_types=["binary"], needs="thresholds", optimum=0.0, greater_is_better=False)
    ... def expected_loss(y, probability):
    ...     return float((5.0 * y * (1.0 - probability) + (1 - y) * probability).mean())
    """

    def declare(function: Callable[..., float]) -> Metric:
        path = f"{function.__module__}:{function.__qualname__}"
        types = frozenset(TaskType(task_type) for task_type in task_types)
        return Metric(path, function, types, Needs(needs), float(optimum), greater_is_better)

    return declare
