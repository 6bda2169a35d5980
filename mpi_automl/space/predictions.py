"""From whatever a fitted pipeline gives to predictions as the package wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.data.task import TaskType

if TYPE_CHECKING:
    from numpy.typing import NDArray


class UnusablePredictionsError(ValueError):
    """Predictions of the wrong shape, or with values that are not finite."""


def predict(pipeline: Any, X: Any, task_type: TaskType, n_outputs: int) -> NDArray[np.float32]:
    """Predict rows with a fitted pipeline.

    Parameters
    ----------
    pipeline : estimator
        Fitted; with `predict_proba` where it can, else its decisions count as probabilities of 0 and 1.
    X : table, n_rows rows
    task_type : TaskType
    n_outputs : int
        Classes, labels or targets. Classes that the pipeline has not seen get probability 0.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_outputs)

    Raises
    ------
    UnusablePredictionsError
        If the shape is not this one or not every value is finite.
    """
    n_rows = X.shape[0]
    if task_type is TaskType.MULTILABEL:
        predictions = _label_probabilities(pipeline, X)
    elif task_type.is_classification:
        predictions = _class_probabilities(pipeline, X, n_outputs)
    else:
        predictions = _columns(pipeline.predict(X))
    if predictions.shape != (n_rows, n_outputs):
        raise UnusablePredictionsError(
            f"predictions have the shape {predictions.shape} instead of {(n_rows, n_outputs)}"
        )
    with np.errstate(over="ignore"):
        predictions = np.ascontiguousarray(predictions, dtype=np.float32)
    if not np.isfinite(predictions).all():
        raise UnusablePredictionsError("predictions contain NaN or infinity")
    return predictions


def _columns(values: Any) -> NDArray[Any]:
    array = np.asarray(values)
    columns: NDArray[Any] = array.reshape(-1, 1) if array.ndim == 1 else array
    return columns


def _class_probabilities(pipeline: Any, X: Any, n_outputs: int) -> NDArray[Any]:
    if not hasattr(pipeline, "predict_proba"):
        decided = np.asarray(pipeline.predict(X)).astype(np.int64)
        certain: NDArray[Any] = (decided.reshape(-1, 1) == np.arange(n_outputs)).astype(np.float32)
        return certain
    found = _columns(pipeline.predict_proba(X))
    classes = np.asarray(pipeline.classes_).astype(np.int64)
    if found.shape[1] != len(classes) or np.array_equal(classes, np.arange(n_outputs)):
        return found
    aligned = np.zeros((found.shape[0], n_outputs), dtype=np.float32)
    aligned[:, classes] = found
    return aligned


def _label_probabilities(pipeline: Any, X: Any) -> NDArray[Any]:
    """Probability of each label; scikit-learn gives one array for all labels, or a list of two columns for each."""
    if not hasattr(pipeline, "predict_proba"):
        return _columns(pipeline.predict(X))
    found: Any = pipeline.predict_proba(X)
    if not isinstance(found, list):
        return _columns(found)
    return np.column_stack([_positive(label, classes) for label, classes in zip(found, pipeline.classes_, strict=True)])


def _positive(probabilities: Any, classes: Any) -> NDArray[Any]:
    position = np.flatnonzero(np.asarray(classes) == 1)
    if not len(position):
        return np.zeros(len(probabilities))
    column: NDArray[Any] = np.asarray(probabilities)[:, position[0]]
    return column
