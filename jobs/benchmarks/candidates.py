"""Candidate configurations that are evaluated on every table: published ones and random ones.

Candidates are names and values, so that they fit every table's own search space as far as that has their
components; they are always made in the same order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

Candidate = dict[str, Any]


def classification_space() -> ConfigurationSpace:
    """The package's own space for a table of numbers and categories with missing values."""
    from mpi_automl.data.task import ColumnKind, Profile, TaskType
    from mpi_automl.space.space import build_space

    kinds = (ColumnKind.NUMERICAL,) * 10 + (ColumnKind.CATEGORICAL,) * 10
    facts = {"n_rows": 1000, "n_columns": 20, "n_outputs": 2, "kinds": kinds, "cardinalities": (0,) * 10 + (5,) * 10}
    profile = Profile(TaskType.BINARY, **facts, has_missing=True, is_sparse=False, is_nonnegative=False)
    return build_space(profile).configspace


def make_candidates(n_random: int, published: Path | None = None, n_published: int = 16) -> list[Candidate]:
    """The portfolio of the package, further published configurations, and random ones of the full space.

    Parameters
    ----------
    n_random : int
    published : Path, optional
        Auto-sklearn 2's portfolios with names translated: metric, then method, then a list in greedy order.
    n_published : int
        Configurations taken from the head of each of these.
    """
    from mpi_automl.search.portfolio import portfolio
    from mpi_automl.search.vectors import VectorSpace

    space = classification_space()
    vectors = VectorSpace(space)
    own = [vectors.default, *portfolio(vectors)]
    drawn = vectors.sample(n_random, np.random.RandomState(0))
    translated = [] if published is None else read_published(published, n_published)
    return [*(named(space, row) for row in own), *translated, *(named(space, row) for row in drawn)]


def read_published(path: Path, head: int) -> list[Candidate]:
    """Configurations in the package's names, without repetitions."""
    found: dict[str, Candidate] = {}
    for name, methods in json.loads(path.read_text(encoding="utf-8")).items():
        if name.startswith("_"):
            continue
        for method in ("None_holdout", "None_5CV"):
            for entry in methods[method][:head]:
                candidate = _translated(entry)
                found.setdefault(json.dumps(candidate, sort_keys=True), candidate)
    return list(found.values())


def _translated(entry: dict[str, Any]) -> Candidate:
    learner = entry["classifier"]
    parameters = {f"classifier:{learner}:{name}": value for name, value in entry["params"].items()}
    steps = {"classifier:__choice__": learner, "balancing:strategy": entry["balancing"]}
    # Auto-sklearn spells one choice in its own way.
    data = {name: "no_coalescence" if value == "no_coalescense" else value for name, value in entry["data"].items()}
    return {**steps, "feature_preprocessor:__choice__": "no_preprocessing", **data, **parameters}


def named(space: ConfigurationSpace, vector: np.ndarray) -> Candidate:
    """Active hyperparameters by name, as JSON can hold them."""
    values = dict(Configuration(space, vector=vector))
    return {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}
