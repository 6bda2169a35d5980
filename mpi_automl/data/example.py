"""The built-in example, so that a job can run without any file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpi_automl.data.load import make_task

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task


def breast_cancer_task() -> Task:
    """Breast cancer of Wisconsin (569 rows, 30 columns), as scikit-learn bundles it.

    Rows are split by ``train_test_split(random_state=1)``: 426 to learn from, and the held-out quarter
    of 143 as the test table. Labels are the names ``benign`` and ``malignant``.
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    data = load_breast_cancer(as_frame=True)
    labels = data.target_names[data.target]
    X, X_test, y, y_test = train_test_split(data.data, labels, random_state=1)
    return make_task(X, y, X_test=X_test, y_test=y_test, name="breast cancer (built-in example)")
