"""Initial configurations: one list for the whole job, dealt over the ranks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.errors import UserError
from mpi_automl.search.portfolio import portfolio
from mpi_automl.search.seeds import initial_seed
from mpi_automl.search.vectors import VectorSpace

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KINDS = ("default", "portfolio", "random", "sobol")
LEAST = 16
"""An initial design has at least so many configurations, and at least one for each rank."""


def initial_design(
    space: ConfigurationSpace,
    kind: str,
    rank: int,
    size: int,
    seed: int,
    count: int | None = None,
    first: Floats | None = None,
) -> list[Floats]:
    """The initial configurations of one rank.

    All ranks make the same list, which begins with the default configuration; rank r takes positions r,
    r + size, r + 2 size and so on, so no two ranks start with the same configuration.

    Parameters
    ----------
    space : ConfigurationSpace
    kind : str
        ``default``: the default configuration on rank 0, a random one on every other rank. ``portfolio``: a
        portfolio (`mpi_automl.search.portfolio`), then the default configuration. ``random``, ``sobol``:
        the default configuration, then random ones or a scrambled Sobol sequence. Otherwise the path of a
        JSON file with a list of configurations, each an object of hyperparameters and values.
    rank, size : int
        This rank and the number of ranks.
    seed : int
        Seed of the run.
    count : int, optional
        Length of the whole list, without `first`.
    first : ndarray of float64, shape (n, n_hyperparameters), optional
        Configurations that come before the default one.

    Returns
    -------
    list of ndarray of float64, shape (n_hyperparameters,)

    Raises
    ------
    UserError
        If the file cannot be read or holds something else.
    """
    vectors = VectorSpace(space)
    random = np.random.RandomState(np.random.MT19937(initial_seed(seed)))
    rows = _of_kind(vectors, kind, size, count or max(LEAST, size), random)
    everything = distinct(rows if first is None else np.concatenate([first, rows]))
    return list(everything[rank::size])


def _of_kind(vectors: VectorSpace, kind: str, size: int, count: int, random: np.random.RandomState) -> Floats:
    """The list of all ranks."""
    if kind == "portfolio":
        rows = portfolio(vectors)
        return np.concatenate([rows, vectors.default[None], vectors.sample(max(0, size - 1 - len(rows)), random)])
    return np.concatenate([vectors.default[None], _after_default(vectors, kind, size, count, random)])


def _after_default(vectors: VectorSpace, kind: str, size: int, count: int, random: np.random.RandomState) -> Floats:
    """What follows the default configuration in the list of all ranks."""
    if kind == "default":
        return vectors.sample(max(size, 1) - 1, random)
    if kind == "random":
        return vectors.sample(count - 1, random)
    if kind == "sobol":
        return sobol(vectors, count - 1, random)
    return read_configurations(vectors, Path(kind))


def distinct(vectors: Floats) -> Floats:
    """The rows without repetitions, in the order of their first occurrence."""
    first: dict[bytes, int] = {}
    for i, identity in enumerate(identities(vectors)):
        first.setdefault(identity, i)
    return vectors[list(first.values())]


def sobol(space: VectorSpace, n: int, random: np.random.RandomState) -> Floats:
    """Valid configurations that fill the space evenly, by a scrambled Sobol sequence.

    Parameters
    ----------
    space : VectorSpace
    n : int
    random : RandomState

    Returns
    -------
    ndarray of float64, shape (n, n_hyperparameters)
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(space), scramble=True, seed=int(random.randint(2**31)))
    found = np.empty((0, len(space)))
    while len(found) < n:
        points = sequence.random(1 << max(4, n - len(found)).bit_length())
        columns = space.from_unit(np.ascontiguousarray(points.T))
        found = np.concatenate([found, columns[:, ~space.is_forbidden(columns)].T])
    return found[:n]


def read_configurations(space: VectorSpace, path: Path) -> Floats:
    """Configurations from a JSON file.

    Hyperparameters that a configuration leaves out have their defaults; inactive ones are ignored.

    Parameters
    ----------
    space : VectorSpace
    path : Path

    Returns
    -------
    ndarray of float64, shape (n, n_hyperparameters)

    Raises
    ------
    UserError
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(KINDS)
        raise UserError(
            f"--initial-design is {path}, which is none of {known} and cannot be read: {error.strerror}."
        ) from None
    except ValueError as error:
        raise UserError(f"The initial configurations in {path} are not valid JSON: {error}.") from None
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise UserError(
            f"The initial configurations in {path} must be a list of objects of hyperparameters and values."
        )
    vectors = [encode(space, entry, f"Initial configuration {i + 1} in {path}") for i, entry in enumerate(content)]
    return np.array(vectors).reshape(-1, len(space))


def encode(space: VectorSpace, values: dict[str, Any], what: str) -> Floats:
    """The vector of a configuration given by names and values.

    Parameters
    ----------
    space : VectorSpace
    values : dict
    what : str
        What to call the configuration in an error.

    Raises
    ------
    UserError
        If a hyperparameter is unknown, a value is illegal or the combination is forbidden.
    """
    column = space.defaults[:, None].copy()
    positions = {name: i for i, name in enumerate(space.names)}
    for name, value in values.items():
        if name not in positions:
            raise UserError(f"{what} names {name}, which is not a hyperparameter of this search space.")
        hp = space.hyperparameters[positions[name]]
        if not hp.legal_value(value):
            raise UserError(f"{what} sets {name} to {value!r}, which is not a legal value.")
        column[positions[name], 0] = hp.to_vector(value)
    space.apply_conditions(column)
    if space.is_forbidden(column)[0]:
        raise UserError(f"{what} is a forbidden combination in this search space.")
    vector: Floats = column[:, 0]
    return vector
