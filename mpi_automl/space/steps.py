"""The steps of a pipeline in their order, and where their hyperparameters are named."""

from __future__ import annotations

from dataclasses import dataclass

from mpi_automl.data.task import ColumnKind, Profile


@dataclass(frozen=True)
class Step:
    """A place in the pipeline that one component fills.

    Attributes
    ----------
    name : str
        What users write in ``step:component``.
    prefix : str
        Beginning of the hyperparameters' names; auto-sklearn's, without the constant
        ``data_preprocessor:feature_type:`` before it.
    selector : str
        Last part of the name of the hyperparameter that chooses the component.
    kind : ColumnKind or None
        The columns it works on; None for all of them.
    """

    name: str
    prefix: str
    selector: str = "__choice__"
    kind: ColumnKind | None = None

    @property
    def choice(self) -> str:
        """Full name of the hyperparameter that chooses the component."""
        return f"{self.prefix}:{self.selector}"

    def applies(self, profile: Profile) -> bool:
        """Whether a table of this profile has anything for the step to do."""
        if self.name == "balancing" or self.name == "classifier":
            return profile.task_type.is_classification
        if self.name == "regressor":
            return not profile.task_type.is_classification
        if self.name == "missing_indicator" and not profile.has_missing:
            return False
        return self.kind is None or self.kind in profile.kinds


STEPS = (
    Step("imputation", "numerical_transformer:imputation", "strategy", ColumnKind.NUMERICAL),
    Step("missing_indicator", "numerical_transformer:missing_indicator", kind=ColumnKind.NUMERICAL),
    Step("rescaling", "numerical_transformer:rescaling", kind=ColumnKind.NUMERICAL),
    Step("category_coalescence", "categorical_transformer:category_coalescence", kind=ColumnKind.CATEGORICAL),
    Step("categorical_encoding", "categorical_transformer:categorical_encoding", kind=ColumnKind.CATEGORICAL),
    Step("text_encoding", "text_transformer:text_encoding", kind=ColumnKind.TEXT),
    Step("text_feature_reduction", "text_transformer:text_feature_reduction", kind=ColumnKind.TEXT),
    Step("balancing", "balancing", "strategy"),
    Step("feature_preprocessor", "feature_preprocessor"),
    Step("classifier", "classifier"),
    Step("regressor", "regressor"),
)
BY_NAME = {step.name: step for step in STEPS}


def learner_step(profile: Profile) -> Step:
    """The last step: the classifier or the regressor."""
    return BY_NAME["classifier" if profile.task_type.is_classification else "regressor"]
