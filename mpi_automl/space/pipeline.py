"""From chosen components to a scikit-learn pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.space.component import Component, Context, StagedFitting
from mpi_automl.space.steps import learner_step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

Steps = list[tuple[str, Any]]


@dataclass(frozen=True)
class ConfiguredComponent:
    """A component with the values of its active hyperparameters, by their own names."""

    component: Component
    values: Mapping[str, Any]

    def build(self, context: Context) -> Any:
        """The estimator, or None where there is nothing to do."""
        return self.component.build(self.values, context)


@dataclass(frozen=True)
class Branch:
    """What happens to the columns of one kind, before all are put side by side."""

    name: str
    steps: Steps
    positions: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pipeline that can be fitted.

    Attributes
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Takes the encoded table. The name of its last step is ``"classifier"`` or ``"regressor"``.
    staged_fitting : StagedFitting or None
        How the last step can be fitted in stages.
    balanced : bool
        Whether classes are to be weighted to equal weight, see `sample_weight`.
    early_stopping : bool
        Whether ``fit`` of the last step takes validation rows and a deadline.
    """

    pipeline: Pipeline
    staged_fitting: StagedFitting | None
    balanced: bool
    early_stopping: bool = False

    def sample_weight(self, y: NDArray[Any]) -> NDArray[np.float64] | None:
        """Weights for ``fit`` of the last step under which all classes weigh the same; None if not `balanced`.

        Parameters
        ----------
        y : ndarray, shape (n_rows,)
            Class codes of the training rows.

        Returns
        -------
        ndarray of float64, shape (n_rows,), or None
            Their mean is 1.
        """
        if not self.balanced:
            return None
        import numpy as np

        classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        weights: NDArray[np.float64] = (len(y) / (len(classes) * counts))[codes]
        return weights


def build_candidate(chosen: Mapping[str, ConfiguredComponent], context: Context) -> Candidate:
    """Put chosen components together.

    Parameters
    ----------
    chosen : mapping of str to ConfiguredComponent
        By step. Steps without anything to do are absent.
    context : Context
        Of the table as a whole; what changes along the pipeline is adapted here.
    """
    from sklearn.pipeline import Pipeline

    profile = context.profile
    balancing = chosen.get("balancing")
    balanced = balancing is not None and balancing.component.name == "weighting"
    coalescence = chosen.get("category_coalescence")
    fraction = coalescence.values.get("minimum_fraction") if coalescence is not None else None
    context = replace(context, sparse=profile.is_sparse, balanced=balanced, fraction=fraction)

    branches = _branches(chosen, context)
    steps = _side_by_side(branches, context)
    preprocessor = chosen["feature_preprocessor"]
    made = preprocessor.build(context)
    codes = () if made is not None else _code_positions(chosen, branches)
    if made is not None:
        steps.append(("feature_preprocessor", made))
        output = preprocessor.component.properties.output
        context = replace(context, sparse=output == "sparse" or (output == "input" and context.sparse))
    last = learner_step(profile).name
    learner, staged_fitting = _learner(chosen[last], replace(context, categories=codes))
    steps.append((last, learner))
    properties = chosen[last].component.properties
    early_stopping = properties.early_stopping and profile.task_type not in properties.one_per_output
    return Candidate(Pipeline(steps), staged_fitting, balanced, early_stopping)


def dummy_candidate(profile: Profile) -> Candidate:
    """The baseline, which ignores the features: class frequencies, or the mean of the targets."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.pipeline import Pipeline

    name = learner_step(profile).name
    learner = DummyClassifier(strategy="prior") if name == "classifier" else DummyRegressor(strategy="mean")
    return Candidate(Pipeline([(name, learner)]), None, balanced=False)


def _branches(chosen: Mapping[str, ConfiguredComponent], context: Context) -> list[Branch]:
    """Category columns come first, so that their positions are known to the learner."""
    profile = context.profile
    categorical = profile.positions(ColumnKind.CATEGORICAL)
    numerical = profile.positions(ColumnKind.NUMERICAL)
    text = profile.positions(ColumnKind.TEXT)
    found: list[Branch] = []
    if categorical:
        found.append(
            Branch("categorical", _made(chosen, ("category_coalescence", "categorical_encoding"), context), categorical)
        )
    if numerical:
        steps = _made(chosen, ("imputation",), context) + _varied() + _made(chosen, ("rescaling",), context)
        found.append(Branch("numerical", steps, numerical))
        indicator = _made(chosen, ("missing_indicator",), context)
        if indicator:
            found.append(Branch("missing_indicator", indicator, numerical))
    if text:
        found.append(Branch("text", _made(chosen, ("text_encoding", "text_feature_reduction"), context), text))
    return found


def _made(chosen: Mapping[str, ConfiguredComponent], names: tuple[str, ...], context: Context) -> Steps:
    pairs = ((name, chosen[name].build(context)) for name in names if name in chosen)
    return [(name, estimator) for name, estimator in pairs if estimator is not None]


def _varied() -> Steps:
    from mpi_automl.space.estimators.feature_selection import VariedColumns

    return [("variance_threshold", VariedColumns())]


def _side_by_side(branches: list[Branch], context: Context) -> Steps:
    """One branch is simply the beginning of the pipeline; several need a `ColumnTransformer`."""
    if len(branches) == 1:
        return list(branches[0].steps)
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    parts = [(branch.name, _part(branch.steps, Pipeline), list(branch.positions)) for branch in branches]
    threshold = 1.0 if context.sparse else 0.0
    return [("columns", ColumnTransformer(parts, sparse_threshold=threshold, verbose_feature_names_out=False))]


def _part(steps: Steps, pipeline: Any) -> Any:
    if not steps:
        return "passthrough"
    return steps[0][1] if len(steps) == 1 else pipeline(steps)


def _code_positions(chosen: Mapping[str, ConfiguredComponent], branches: list[Branch]) -> tuple[int, ...]:
    """Where category codes arrive at the learner: only where nothing turned them into numbers."""
    encoding = chosen.get("categorical_encoding")
    if encoding is None or not encoding.component.properties.categories or not branches:
        return ()
    return tuple(range(len(branches[0].positions)))


def _learner(chosen: ConfiguredComponent, context: Context) -> tuple[Any, StagedFitting | None]:
    properties = chosen.component.properties
    learner = chosen.build(context)
    if context.profile.task_type not in properties.one_per_output:
        return learner, properties.staged_fitting
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.multioutput import MultiOutputRegressor

    staged_fitting = None if properties.staged_fitting is None else properties.staged_fitting.inside("estimator")
    wrapper = OneVsRestClassifier if context.profile.task_type is TaskType.MULTILABEL else MultiOutputRegressor
    return wrapper(learner), staged_fitting
