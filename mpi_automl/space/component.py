"""What a component declares: a learner, a preprocessor or a choice for one column kind, in one class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.metrics.kind import MetricKind
from mpi_automl.space.hyperparameters import Hyperparameter, Value

BINARY_OR_MULTICLASS = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
CLASSIFICATION = frozenset({TaskType.BINARY, TaskType.MULTICLASS, TaskType.MULTILABEL})
SINGLE_REGRESSION = frozenset({TaskType.REGRESSION})
REGRESSION = frozenset({TaskType.REGRESSION, TaskType.MULTIOUTPUT})
ANY_TASK = frozenset(TaskType)

MAX_CELLS = 2**26
"""Values of a table that a component may make: 512 MiB as float64, a sixth of the default ``--trial-memory``."""
TEXT_COLUMNS = 100
"""Columns that texts are reduced to by default."""


FIRST_STAGE_FROM_SCRATCH = 32
"""First stage of learners that start from scratch in each, so that the cheap early stages are not repeated."""


@dataclass(frozen=True)
class StagedFitting:
    """How a learner is fitted in stages, so that predictions exist long before the last one.

    The evaluation sets `parameter` of the pipeline's last step to `start`, twice that and so on up to
    `maximum`, and fits after each; the parameter always states the total. Learners with
    ``warm_start=True`` continue where they were, the others start from scratch, which costs at most one
    further fit.

    Attributes
    ----------
    parameter : str
        Name of the parameter of the last step.
    maximum : int
        Its value when the learner is complete.
    start : int
        Its first value.
    """

    parameter: str
    maximum: int
    start: int = 2  # auto-sklearn's

    def inside(self, attribute: str) -> StagedFitting:
        """The same for a wrapper that holds the learner as `attribute` and fits fresh clones of it in each stage."""
        return StagedFitting(f"{attribute}__{self.parameter}", self.maximum, max(self.start, FIRST_STAGE_FROM_SCRATCH))

    def part(self, share: float) -> StagedFitting:
        """The same up to a share of the full size, in (0, 1]."""
        return replace(self, maximum=max(1, round(share * self.maximum)))

    def finished(self, learner: Any) -> bool:
        """Whether a fitted learner is complete, or stopped by itself before it got that far."""
        reached = int(learner.get_params()[self.parameter])
        done = getattr(learner, "n_iter_", None)
        stopped = isinstance(done, int) and done < reached
        return stopped or reached >= self.maximum


@dataclass(frozen=True)
class Properties:
    """What a component can handle, needs and gives. Everything has a cautious default.

    Attributes
    ----------
    tasks : frozenset of TaskType
        Kinds of target it can handle.
    one_per_output : frozenset of TaskType
        Those of `tasks` for which the pipeline fits one learner for each label or target.
    dense, sparse : bool
        Whether it takes dense arrays, and CSR matrices.
    missing : bool
        Whether it takes missing values (and, for a preprocessor, hands them on).
    categories : bool
        Whether the learner takes the positions of columns of category codes.
    nonnegative : bool
        Whether it needs values that are not below zero.
    sample_weight : bool
        Whether ``fit`` of the learner takes sample weights, or the balancing component needs that;
        balancing is active only with learners that do.
    output : {"input", "dense", "sparse"}
        Form of what a preprocessor gives, where "input" means: as it came.
    output_nonnegative : {"input", "yes", "no"}
        Whether what it gives is without negative values.
    expands : bool
        It makes non-linear features by the hundred: meant for linear learners.
    widens : bool
        It multiplies the number of columns: not more than one of a pipeline may.
    nonlinear : bool
        The learner is non-linear itself, so that such features are a waste before it.
    max_rows, max_columns, max_cells, max_outputs : int or None
        Largest table (rows, columns, their product) and largest number of classes, labels or targets
        for which it is offered.
    staged_fitting : StagedFitting or None
        For learners that are fitted in stages.
    early_stopping : bool
        ``fit`` of the learner takes validation rows, on which it finds its number of iterations, and a deadline
        (`mpi_automl.space.estimators.early_stopped.EarlyStopped`).
    requires : tuple of str
        Modules that must be installed.
    preference : int
        The applicable component with the lowest number is the default of its step.
    weight : float
        How often random sampling draws it, relative to its neighbours.
    """

    tasks: frozenset[TaskType] = ANY_TASK
    one_per_output: frozenset[TaskType] = frozenset()
    dense: bool = True
    sparse: bool = False
    missing: bool = False
    categories: bool = False
    nonnegative: bool = False
    sample_weight: bool = False
    output: Literal["input", "dense", "sparse"] = "input"
    output_nonnegative: Literal["input", "yes", "no"] = "no"
    expands: bool = False
    widens: bool = False
    nonlinear: bool = False
    max_rows: int | None = None
    max_columns: int | None = None
    max_cells: int | None = None
    max_outputs: int | None = None
    staged_fitting: StagedFitting | None = None
    early_stopping: bool = False
    requires: tuple[str, ...] = ()
    preference: int = 100
    weight: float = 1.0


@dataclass(frozen=True)
class Context:
    """What a component may know when it is built.

    Attributes
    ----------
    profile : Profile
    seed : int
        For everything random.
    threads : int
        Threads that one fit may use.
    sparse : bool
        Whether the data arrive at this component as a CSR matrix.
    balanced : bool
        Whether classes are weighted to equal weight.
    categories : tuple of int
        Positions, in what arrives at this component, of columns that still hold category codes.
    fraction : float or None
        Categories rarer than this share of the rows are to be merged, or less than this where a column has many
        categories; None: none are.
    metric_kind : MetricKind or None
        What the run's metric asks of predictions, if that is known.
    """

    profile: Profile
    seed: int
    threads: int = 1
    sparse: bool = False
    balanced: bool = False
    categories: tuple[int, ...] = ()
    fraction: float | None = None
    metric_kind: MetricKind | None = None


class Component(ABC):
    """A component of the pipeline: subclass it, fill in the class attributes, decorate it with `register`.

    Attributes
    ----------
    step : str
        The step it is a choice for, such as ``"classifier"`` (see `mpi_automl.space.steps`).
    name : str
        Unique within the step; becomes part of the hyperparameters' names.
    properties : Properties
    hyperparameters : tuple of Float, Integer or Categorical
        In full size; `declare` may narrow them for a table.
    forbidden : tuple of mappings
        Combinations that may not be: each maps names of own hyperparameters to the values that may
        not all hold at once.
    """

    step: ClassVar[str]
    name: ClassVar[str]
    properties: ClassVar[Properties] = Properties()
    hyperparameters: ClassVar[tuple[Hyperparameter, ...]] = ()
    forbidden: ClassVar[tuple[Mapping[str, tuple[Value, ...]], ...]] = ()

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """Hyperparameters for a table of this profile; by default all of them, whatever the table."""
        del profile
        return self.hyperparameters

    def unsuitable(self, profile: Profile) -> str:
        """Why the component cannot serve a table, beyond what its properties say; empty if it can."""
        del profile
        return ""

    @abstractmethod
    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scikit-learn estimator.

        Parameters
        ----------
        values : mapping of str to bool, int, float or str
            The active hyperparameters by their own names.
        context : Context

        Returns
        -------
        estimator or None
            None for a component that does nothing.
        """

    @classmethod
    def key(cls) -> str:
        """The name by which users include and exclude it, ``step:name``."""
        return f"{cls.step}:{cls.name}"


class NoOperation(Component):
    """A component that adds no estimator to the pipeline."""

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing to do."""
        return None


def encoded_columns(profile: Profile) -> int:
    """Columns that reach the feature preprocessor at most, roughly: with one-hot encoding of all categories."""
    text = TEXT_COLUMNS if profile.positions(ColumnKind.TEXT) else 0
    return len(profile.positions(ColumnKind.NUMERICAL)) + sum(profile.cardinalities) + text
