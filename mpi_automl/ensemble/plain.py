"""Fitted pipelines with scikit-learn's own classes in the place of this package's, where these predict the same.

Many of this package's estimators differ from scikit-learn's in fitting alone: what they have learned is all that
scikit-learn's class needs to predict.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin

_PACKAGE = "mpi_automl."
_OF_FITTING = {"fit", "fit_transform", "partial_fit", "_bin_data"}
_OF_SELECTING = {"_get_support_mask"}


def as_plain(estimator: Any) -> Any:
    """A copy of a fitted estimator that holds as few classes of this package as possible."""
    copy = deepcopy(estimator)
    _simplify(copy, set())
    return copy


def _simplify(found: Any, seen: set[int]) -> None:
    if id(found) in seen:
        return
    seen.add(id(found))
    if isinstance(found, dict):
        parts = list(found.values())
    elif isinstance(found, (list, tuple)):
        parts = list(found)
    elif isinstance(found, np.ndarray) and found.dtype == object:
        parts = list(found.flat)
    elif isinstance(found, BaseEstimator):
        parts = list(vars(found).values())
        _simplify_class(found)
    else:
        return
    for part in parts:
        _simplify(part, seen)


def _simplify_class(estimator: BaseEstimator) -> None:
    kind = type(estimator)
    own = [base for base in kind.__mro__ if base.__module__.startswith(_PACKAGE)]
    theirs = next(base for base in kind.__mro__ if base not in own)
    if not own or not theirs.__module__.startswith("sklearn.") or theirs is BaseEstimator:
        return
    methods = {name for base in own for name, value in vars(base).items() if callable(value)}
    if methods <= _OF_FITTING:
        estimator.__class__ = theirs
    elif methods <= _OF_FITTING | _OF_SELECTING and issubclass(theirs, SelectorMixin):
        mask = estimator.get_support()
        estimator.__class__ = theirs
        if not np.array_equal(mask, estimator.get_support()):
            estimator.__class__ = kind
