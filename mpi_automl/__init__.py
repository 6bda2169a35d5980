"""MPI-parallel automated machine learning for tables, on scikit-learn and SMAC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpi_automl.version import __version__

if TYPE_CHECKING:
    from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor
    from mpi_automl.metrics.metric import metric

__all__ = ["AutoMLClassifier", "AutoMLRegressor", "__version__", "metric"]


def __getattr__(name: str) -> Any:
    # Importing the package must stay quick; the estimators need scikit-learn and metrics NumPy.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "metric":
        from mpi_automl.metrics.metric import metric

        return metric
    from mpi_automl import estimators

    return getattr(estimators, name)
