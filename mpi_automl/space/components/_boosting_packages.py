"""What the components of LightGBM, XGBoost and CatBoost have in common."""

from __future__ import annotations

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, REGRESSION, Properties

RATE = (5e-3, 0.1, 0.05)
"""Learning rates as TabArena searches them (arXiv 2506.16791); early stopping finds the iterations that each needs."""


def properties(step: str, package: str, preference: int, *, categories: bool) -> Properties:
    """Of boosted trees from a package that may be absent.

    Parameters
    ----------
    step : {"classifier", "regressor"}
    package : str
        The module to be imported.
    preference : int
    categories : bool
        Whether the learner is given the positions of category codes.
    """
    classification = step == "classifier"
    return Properties(
        tasks=CLASSIFICATION if classification else REGRESSION,
        one_per_output=frozenset({TaskType.MULTILABEL if classification else TaskType.MULTIOUTPUT}),
        sparse=True,
        missing=True,
        categories=categories,
        sample_weight=True,
        nonlinear=True,
        early_stopping=True,
        requires=(package,),
        preference=preference,
    )
