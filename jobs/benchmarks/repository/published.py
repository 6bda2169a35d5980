"""Published configurations in the package's names.

Two files are read: portfolios of Auto-sklearn 2 (``askl2_portfolios_translated.json``) and of AutoGluon
(``boosting_portfolios.json``), both as lists in the order of their authors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from repository.ranges import CODED, ENCODING, NATIVE, PREPROCESSOR, max_features

Values = dict[str, Any]

NOTICES = (
    "Configurations of auto-sklearn's portfolios: autosklearn/experimental, BSD-3-Clause, Copyright (c) 2014-2021 "
    "AutoML Freiburg; names and values translated.",
    "Configurations of AutoGluon's portfolios: Apache-2.0, Copyright Amazon.com, Inc. or its affiliates and the "
    "AutoGluon authors; names and values translated.",
)
_AUTOGLUON_HEADS = {"small_2025": 10, "cpu_2025": 29, "general_2023": 36}
_DROPPED = {"boosting_type", "bootstrap_type", "bagging_freq", "enable_categorical", "max_bin", "max_leaf_nodes"}
_REGRESSION_CRITERIA = ("squared_error", "absolute_error")


def read_published(directory: Path, step: str, head: int) -> list[Values]:
    """All published configurations for a step, those of each source in their order, sources in turn."""
    return list(_in_turn(_read_autogluon(directory, step), _read_autosklearn(directory, step, head)))


def _in_turn(*lists: list[Values]) -> Iterator[Values]:
    return (values for values in chain.from_iterable(zip_longest(*lists)) if values is not None)


def _read_autogluon(directory: Path, step: str) -> list[Values]:
    content = json.loads((directory / "boosting_portfolios.json").read_text(encoding="utf-8"))
    lists = [
        [translated for entry in content[name][:head] if (translated := _of_autogluon(entry, step)) is not None]
        for name, head in _AUTOGLUON_HEADS.items()
    ]
    return list(_in_turn(*lists))


def _of_autogluon(entry: dict[str, Any], step: str) -> Values | None:
    """None for a forest whose criterion is that of the other task."""
    learner, values = entry["learner"], {k: v for k, v in entry["values"].items() if k not in _DROPPED}
    is_forest = learner in ("extra_trees", "random_forest")
    if is_forest:
        if "criterion" in values and (values["criterion"] in _REGRESSION_CRITERIA) != (step == "regressor"):
            return None
        if "max_features" in values:
            values["max_features"] = max_features(step, values["max_features"])
    if learner in ("catboost", "lightgbm", "xgboost"):
        values.setdefault("learning_rate", 0.05)
    steps = dict(CODED if is_forest else NATIVE)
    if "oof_target_encoding" in entry["features"]:
        steps[ENCODING] = "target_encoding"
    named = {f"{step}:{learner}:{name}": value for name, value in values.items()}
    return {f"{step}:__choice__": learner, PREPROCESSOR: "no_preprocessing", **steps, **named}


def _read_autosklearn(directory: Path, step: str, head: int) -> list[Values]:
    """The first of each portfolio for log loss, ROC AUC and balanced accuracy; there are none for regression."""
    if step != "classifier":
        return []
    content = json.loads((directory / "askl2_portfolios_translated.json").read_text(encoding="utf-8"))
    methods = ("None_5CV", "None_holdout", "None_3CV")
    lists = [content[metric][method][:head] for metric in ("roc_auc", "log_loss") for method in methods]
    return [_of_autosklearn(entry) for entry in _in_turn(*lists)]


def _of_autosklearn(entry: dict[str, Any]) -> Values:
    learner = entry["classifier"]
    named = {f"classifier:{learner}:{name}": value for name, value in entry["params"].items()}
    # Auto-sklearn spells one choice in its own way.
    data = {name: "no_coalescence" if value == "no_coalescense" else value for name, value in entry["data"].items()}
    first = {"classifier:__choice__": learner, "balancing:strategy": entry["balancing"]}
    return {**first, PREPROCESSOR: "no_preprocessing", **data, **named}
