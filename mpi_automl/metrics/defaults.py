"""The metric that a run optimises where none is named (``--metric auto``)."""

from __future__ import annotations

from mpi_automl.data.task import TaskType

DEFAULT_METRICS = {
    TaskType.BINARY: "accuracy",
    TaskType.MULTICLASS: "accuracy",
    TaskType.MULTILABEL: "f1_macro",
    TaskType.REGRESSION: "r2",
    TaskType.MULTIOUTPUT: "r2",
}
