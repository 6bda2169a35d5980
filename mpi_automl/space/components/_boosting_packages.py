"""What the components of LightGBM, XGBoost and CatBoost have in common."""

from __future__ import annotations

from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, REGRESSION, Properties, StagedFitting

TREES = 512
"""As many as histogram gradient boosting has."""
FIRST_STAGE = 16
"""Each stage starts from scratch, so all of them cost less than twice the last one."""


def properties(step: str, package: str, parameter: str, preference: int, **more: Any) -> Properties:
    """Of boosted trees from a package that may be absent.

    Parameters
    ----------
    step : {"classifier", "regressor"}
    package : str
        The module to be imported.
    parameter : str
        The parameter of the learner that is its number of trees.
    preference : int
    **more
        Further properties.
    """
    classification = step == "classifier"
    return Properties(
        tasks=CLASSIFICATION if classification else REGRESSION,
        one_per_output=frozenset({TaskType.MULTILABEL if classification else TaskType.MULTIOUTPUT}),
        sparse=True,
        missing=True,
        sample_weight=True,
        nonlinear=True,
        staged_fitting=StagedFitting(parameter, TREES, start=FIRST_STAGE),
        requires=(package,),
        preference=preference,
        **more,
    )
