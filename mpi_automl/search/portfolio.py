"""Portfolios: configurations that did well on recorded tables, in the order in which they complement each other."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.search.vectors import VectorSpace

    Floats = NDArray[np.float64]

_FILES = ("defaults.json", "classification.json")
"""In the order in which they are tried."""
_MOST_ROWS = 20_000
"""A portfolio that was chosen on tables of at most 5,000 rows begins with what is cheap there: neighbours, kernels."""
_LEARNERS = ("classifier:__choice__", "regressor:__choice__")


def portfolio(space: VectorSpace, *, chosen: bool = True) -> Floats:
    """The portfolio for a search space.

    Where a repository of evaluations has chosen one for the kind of task (``TASK.json``, by
    ``jobs/benchmarks/repository``), that, for tables of up to 20,000 rows. Otherwise first come defaults of learners
    that are strong or cheap, then for classification 32 configurations of Auto-sklearn 2's portfolios (Feurer et al.
    2022, "Auto-sklearn 2.0: Hands-free AutoML via meta-learning", section 3). All are taken as far as the space has
    their components; then comes each further learner with its defaults.

    Parameters
    ----------
    space : VectorSpace
    chosen : bool
        False leaves out what a repository has chosen.

    Returns
    -------
    ndarray of float64, shape (n, n_hyperparameters)
        Valid configurations in the order in which to try them; the default configuration is not among
        those that are added for learners without one.
    """
    fixed = _meta(space).get("fixed", {})
    published = [adapt_configuration(space, entry) for entry in _entries(space, chosen) if _has(entry, fixed)]
    vectors = [vector for vector in published if vector is not None]
    return np.array([*vectors, *_each_learner(space, vectors)]).reshape(-1, len(space))


def _meta(space: VectorSpace) -> dict[str, Any]:
    return space.space.meta or {}


def _has(entry: dict[str, Any], fixed: dict[str, str]) -> bool:
    """Whether an entry has the learner of a space that has only one."""
    return all(name not in fixed or entry.get(name) in (None, fixed[name]) for name in _LEARNERS)


def _chosen(task: str) -> list[dict[str, Any]] | None:
    """The portfolio that a repository of evaluations has chosen for a kind of task, if there is one."""
    file = resources.files(__package__) / "portfolios" / f"{task}.json"
    if not task or not file.is_file():
        return None
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["configurations"]
    return entries


def _entries(space: VectorSpace, chosen: bool) -> list[dict[str, Any]]:
    meta = _meta(space)
    if chosen and meta.get("rows", 0) <= _MOST_ROWS:
        entries = _chosen(str(meta.get("task", "")))
        if entries is not None:
            return entries
    choices = {*space.names, *_meta(space).get("fixed", {})}
    learner = next((name for name in _LEARNERS if name in choices), "")
    folder = resources.files(__package__) / "portfolios"
    contents = [json.loads((folder / file).read_text(encoding="utf-8")) for file in _FILES]
    return [entry for content in contents for entry in content["configurations"] if learner in entry]


def adapt_configuration(space: VectorSpace, entry: dict[str, Any]) -> Floats | None:
    """The vector of a published configuration; None where the space has no such component or forbids it."""
    column = space.defaults[:, None].copy()
    for name, value in entry.items():
        if name not in space.names:
            continue
        position = space.names.index(name)
        hp: Any = space.hyperparameters[position]
        if hasattr(hp, "lower") and not isinstance(value, str):
            value = type(value)(min(max(value, hp.lower), hp.upper))
        if hp.legal_value(value):
            column[position, 0] = hp.to_vector(value)
        elif name.endswith("__choice__"):
            return None
    space.apply_conditions(column)
    if space.is_forbidden(column)[0]:
        return None
    vector: Floats = column[:, 0]
    return vector


def _each_learner(space: VectorSpace, vectors: list[Floats]) -> list[Floats]:
    """Default configurations of the learners that none of `vectors` and not the default configuration uses."""
    children = [len(space.space.children_of[name]) for name in space.names]
    if not any(children):
        return []
    step = int(np.argmax(children))
    used = {space.default[step], *(vector[step] for vector in vectors)}
    made = []
    for value in range(int(space.hyperparameters[step].size)):
        column = space.default[:, None].copy()
        column[step] = value
        space.apply_conditions(column)
        if value not in used and not space.is_forbidden(column)[0]:
            made.append(column[:, 0])
    return made
