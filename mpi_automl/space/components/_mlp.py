"""What both multilayer perceptrons have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Context, StagedFitting
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, Integer

EPOCHS = StagedFitting("max_iter", 512)
PATIENCE = 32
"""Epochs without improvement; both numbers are auto-sklearn's."""


def hyperparameters(activation: str) -> tuple[Hyperparameter, ...]:
    """With the default activation function."""
    return (
        Categorical("activation", ("tanh", "relu"), activation),
        Float("alpha", 1e-7, 0.1, 1e-4, log=True),
        Categorical("early_stopping", ("valid", "train")),
        Integer("hidden_layer_depth", 1, 3, 1),
        Float("learning_rate_init", 1e-4, 0.5, 1e-3, log=True),
        Integer("num_nodes_per_layer", 16, 264, 32, log=True),
    )


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of scikit-learn's perceptrons: Adam, equally wide layers, for staged fitting by ``warm_start``.

    Early stopping watches a tenth of the rows ("valid") or the training loss ("train").
    """
    return {
        "hidden_layer_sizes": (values["num_nodes_per_layer"],) * values["hidden_layer_depth"],
        "activation": values["activation"],
        "alpha": values["alpha"],
        "learning_rate_init": values["learning_rate_init"],
        "early_stopping": values["early_stopping"] == "valid",
        "n_iter_no_change": PATIENCE,
        "max_iter": EPOCHS.maximum,
        "warm_start": True,
        "random_state": context.seed,
    }
