"""Families of random candidates: how often each learner is drawn, behind which data steps, and from which ranges.

Ranges of boosting and forests are those of TabArena (arXiv 2506.16791); other learners have the package's own. Names
that a search space does not have are left out where a candidate is adapted to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator], Any]

ENCODING = "categorical_transformer:categorical_encoding:__choice__"
COALESCENCE = "categorical_transformer:category_coalescence:__choice__"
IMPUTATION = "numerical_transformer:imputation:strategy"
RESCALING = "numerical_transformer:rescaling:__choice__"
PREPROCESSOR = "feature_preprocessor:__choice__"
QUANTILES = "numerical_transformer:rescaling:quantile_transformer:n_quantiles"
NORMAL = "numerical_transformer:rescaling:quantile_transformer:output_distribution"

BOOSTERS = ("lightgbm", "catboost", "xgboost")
NATIVE = {ENCODING: "no_encoding", COALESCENCE: "no_coalescence", IMPUTATION: "no_imputation", RESCALING: "none"}
"""For learners that take categories and missing values as they are."""
CODED = {ENCODING: "encoding", COALESCENCE: "no_coalescence", IMPUTATION: "median", RESCALING: "none"}
"""For forests."""
STANDARD = {
    ENCODING: "one_hot_encoding",
    COALESCENCE: "minority_coalescer",
    IMPUTATION: "median",
    RESCALING: "standardize",
}
"""For learners that need scaled columns."""
GAUSSIAN = {**STANDARD, RESCALING: "quantile_transformer", QUANTILES: 500, NORMAL: "normal"}
"""Likewise, with columns made normal."""
FOREST_COLUMNS = 20
"""The share of columns that a split considers is published; the package's exponent follows for so many columns."""


def uniform(low: float, high: float) -> Draw:
    return lambda rng: float(rng.uniform(low, high))


def log(low: float, high: float) -> Draw:
    return lambda rng: float(np.exp(rng.uniform(np.log(low), np.log(high))))


def integer(low: int, high: int) -> Draw:
    return lambda rng: int(rng.integers(low, high + 1))


def log_integer(low: int, high: int) -> Draw:
    return lambda rng: round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))


def one_of(*values: Any) -> Draw:
    return lambda rng: values[int(rng.integers(len(values)))]


LIGHTGBM = {
    "learning_rate": log(5e-3, 0.1),
    "feature_fraction": uniform(0.4, 1.0),
    "bagging_fraction": uniform(0.7, 1.0),
    "num_leaves": log_integer(2, 200),
    "min_data_in_leaf": log_integer(1, 64),
    "extra_trees": one_of(False, True),
    "min_data_per_group": log_integer(2, 100),
    "cat_l2": log(5e-3, 2.0),
    "cat_smooth": log(1e-3, 100.0),
    "max_cat_to_onehot": log_integer(8, 100),
    "lambda_l1": uniform(1e-5, 1.0),
    "lambda_l2": uniform(1e-5, 2.0),
}
CATBOOST = {
    "learning_rate": log(5e-3, 0.1),
    "depth": integer(4, 8),
    "l2_leaf_reg": log(1e-4, 5.0),
    "subsample": uniform(0.7, 1.0),
    "grow_policy": one_of("SymmetricTree", "Depthwise"),
    "leaf_estimation_iterations": log_integer(1, 20),
    "one_hot_max_size": log_integer(8, 100),
    "max_ctr_complexity": integer(2, 5),
    "model_size_reg": log(0.1, 1.5),
}
XGBOOST = {
    "learning_rate": log(5e-3, 0.1),
    "max_depth": log_integer(4, 10),
    "min_child_weight": log(1e-3, 5.0),
    "subsample": uniform(0.6, 1.0),
    "colsample_bylevel": uniform(0.6, 1.0),
    "colsample_bynode": uniform(0.6, 1.0),
    "reg_alpha": uniform(1e-4, 5.0),
    "reg_lambda": log(1e-4, 5.0),
    "grow_policy": one_of("depthwise", "lossguide"),
    "max_leaves": log_integer(8, 1024),
}


def forest_ranges(step: str) -> dict[str, Draw]:
    """Of extra trees and random forest; half of the draws take the square root of the number of columns."""
    criteria = ("gini", "entropy") if step == "classifier" else ("squared_error",)
    shares = uniform(0.4, 1.0)

    def share(rng: np.random.Generator) -> float:
        return max_features(step, shares(rng) if rng.random() < 0.5 else "sqrt")

    return {
        "max_features": share,
        "min_samples_split": log_integer(2, 4),
        "bootstrap": one_of(False, True),
        "criterion": one_of(*criteria),
    }


def max_features(step: str, published: float | str) -> float:
    """The package's value: an exponent of the number of columns for classes, a share of them for values."""
    share = {"sqrt": FOREST_COLUMNS**-0.5, "log2": np.log2(FOREST_COLUMNS) / FOREST_COLUMNS}.get(published, published)
    return float(1.0 + np.log(share) / np.log(FOREST_COLUMNS)) if step == "classifier" else float(share)


@dataclass(frozen=True)
class Family:
    """Random candidates of one learner.

    Attributes
    ----------
    learner : str
        Empty for the package's whole space but `BOOSTERS`.
    share : int
        How often it is drawn, relative to others.
    steps : tuple of dict
        Data steps, one of which is drawn.
    ranges : mapping of str to callable, or None
        None: the package's own ranges.
    """

    learner: str
    share: int
    steps: tuple[Mapping[str, Any], ...] = ({},)
    ranges: Mapping[str, Draw] | None = field(default=None, repr=False)


def families(step: str) -> list[Family]:
    """All families of a step, ``classifier`` or ``regressor``."""
    target = {**CODED, ENCODING: "target_encoding"}
    scaled = (STANDARD, GAUSSIAN, {**STANDARD, RESCALING: "power_transformer"}, {**STANDARD, RESCALING: "splines"})
    natives = (NATIVE, NATIVE, {**NATIVE, ENCODING: "target_encoding"})
    common = [
        Family("lightgbm", 18, natives, LIGHTGBM),
        Family("catboost", 13, (NATIVE,), CATBOOST),
        Family("mlp", 13, scaled),
        Family("extra_trees", 10, (CODED, target), forest_ranges(step)),
        Family("xgboost", 9, natives, XGBOOST),
        Family("", 9),
        Family("random_forest", 6, (CODED, target), forest_ranges(step)),
        Family("gradient_boosting", 4, (NATIVE,)),
        Family("k_nearest_neighbors", 3, scaled[:3]),
    ]
    if step == "classifier":
        return [
            *common,
            Family("libsvm_svc", 5, scaled[:3]),
            Family("logistic_regression", 4, scaled),
            Family("qda", 3, scaled[:3]),
        ]
    return [
        *common,
        Family("libsvm_svr", 5, scaled[:3]),
        Family("gaussian_process", 5, scaled[:3]),
        Family("ridge", 3, scaled),
    ]


def natural_steps(learner: str) -> Mapping[str, Any]:
    """The data steps behind which a learner is usually given its defaults."""
    if learner in (*BOOSTERS, "gradient_boosting"):
        return NATIVE
    if learner in ("extra_trees", "random_forest", "decision_tree", "adaboost"):
        return CODED
    return GAUSSIAN if learner in ("mlp", "logistic_regression", "ridge") else STANDARD
