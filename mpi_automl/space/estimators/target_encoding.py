"""Target encoding with a seed."""

from __future__ import annotations

from typing import Any

from sklearn.preprocessing import TargetEncoder

from mpi_automl.space.versions import sklearn_at_least

FOLDS = 5


def target_encoder(target_type: str, seed: int) -> Any:
    """scikit-learn's cross-fitted encoder with shuffled folds.

    Parameters
    ----------
    target_type : {"binary", "multiclass", "continuous"}
    seed : int
        Of the folds.
    """
    if not sklearn_at_least(1, 9):
        return TargetEncoder(target_type=target_type, cv=FOLDS, random_state=seed)
    from sklearn.model_selection import KFold, StratifiedKFold

    splitter = KFold if target_type == "continuous" else StratifiedKFold
    return TargetEncoder(target_type=target_type, cv=splitter(FOLDS, shuffle=True, random_state=seed))
