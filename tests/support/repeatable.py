"""What two runs of a repeatable job must have in common, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mpi_automl.data.example import breast_cancer_task
from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory


def fingerprint(directory: Path) -> dict[str, object]:
    """Configurations, costs, predictions, ensemble and the final model's predictions of a run."""
    reader = RunReader(directory)
    kept = [key for key, has in zip(reader.keys, reader.has_predictions, strict=True) if has]
    outcome = RunDirectory(directory).read_ensemble()
    model = EnsembleModel.load(directory / "model")
    return {
        "keys": [str(key) for key in reader.keys],
        "vectors": reader.vectors.tobytes(),
        "statuses": reader.records["status"].tolist(),
        "origins": reader.records["origin"].tolist(),
        "costs": np.asarray(reader.records["cost"]).tobytes(),
        "predictions": np.asarray(reader.predictions(kept)).tobytes(),
        "members": json.dumps(outcome["members"]),
        "value": outcome["value"],
        "test_value": outcome["test_value"],
        "model": np.asarray(model.predictions(breast_cancer_task().X_test)).tobytes(),
    }
