"""MPI-parallel automated machine learning for tables, on scikit-learn and SMAC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpi_automl.version import __version__

if TYPE_CHECKING:
    from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor

__all__ = ["AutoMLClassifier", "AutoMLRegressor", "__version__"]


def __getattr__(name: str) -> Any:
    # Importing the package must stay quick, and the estimators need scikit-learn.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mpi_automl import estimators

    return getattr(estimators, name)
