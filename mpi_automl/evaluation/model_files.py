"""Names of the files that a trial leaves beside its predictions."""

from __future__ import annotations

from pathlib import Path


def file_of_test_predictions(model: Path) -> Path:
    """File with the predictions of the test rows by a model that was fitted on all rows."""
    return model.with_suffix(".npy")
