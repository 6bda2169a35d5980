"""scikit-learn estimators: `AutoMLClassifier` and `AutoMLRegressor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpi_automl.estimators.classifier import AutoMLClassifier
    from mpi_automl.estimators.regressor import AutoMLRegressor

__all__ = ["AutoMLClassifier", "AutoMLRegressor"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mpi_automl.estimators import classifier, regressor

    return {"AutoMLClassifier": classifier.AutoMLClassifier, "AutoMLRegressor": regressor.AutoMLRegressor}[name]
