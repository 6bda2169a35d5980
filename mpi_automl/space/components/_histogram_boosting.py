"""What both histogram gradient boosting components have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Context, StagedFitting
from mpi_automl.space.hyperparameters import Categorical, Float, Integer

ITERATIONS = StagedFitting("max_iter", 512)
MAX_BINS = 255
TOLERANCE = 1e-7
"""All three are auto-sklearn's; 255 bins are also the most that scikit-learn takes, as a bin is a byte."""
HYPERPARAMETERS = (
    Categorical("early_stop", ("off", "valid", "train")),
    Float("l2_regularization", 1e-10, 1.0, 1e-10, log=True),
    Float("learning_rate", 0.01, 1.0, 0.1, log=True),
    Integer("max_leaf_nodes", 3, 2047, 31, log=True),
    Integer("min_samples_leaf", 1, 200, 20, log=True),
    Integer("n_iter_no_change", 1, 20, 10, when={"early_stop": ("valid", "train")}),
    Float("validation_fraction", 0.01, 0.4, 0.1, when={"early_stop": ("valid",)}),
)


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of scikit-learn's histogram gradient boosting, for staged fitting by ``warm_start``.

    Early stopping watches a part of the rows ("valid"), the training loss ("train"), or is off.
    """
    chosen = {name: value for name, value in values.items() if name != "early_stop"}
    stop = values["early_stop"]
    if stop != "valid":
        chosen["validation_fraction"] = None
    return {
        **chosen,
        "early_stopping": stop != "off",
        "scoring": "loss",
        "tol": TOLERANCE,
        "max_bins": MAX_BINS,
        "max_iter": ITERATIONS.maximum,
        "warm_start": True,
        "categorical_features": _categories(context),
        "random_state": context.seed,
    }


def _categories(context: Context) -> list[int] | None:
    """Positions of category columns; those with more categories than bins stay numbers."""
    sizes = [size for size in context.profile.cardinalities if size]
    return [i for i in context.categories if sizes[i] < MAX_BINS] or None
