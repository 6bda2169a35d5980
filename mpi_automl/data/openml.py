"""Data sets of OpenML, through scikit-learn's cache.

Compute nodes often have no network: `fetch` fills the cache on a login node, `read_openml` then reads from it.
The cache is in scikit-learn's data directory (``~/scikit_learn_data``, or ``$SCIKIT_LEARN_DATA``).
"""

from __future__ import annotations

import json
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, urlopen

import pandas as pd

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.data.table import DEFAULT_TARGET, SparseTable
from mpi_automl.errors import UserError

OPENML = "openml:"
"""How the source of a data set of OpenML begins."""
SUITE = "suite/"
"""How the name of a suite begins, after `OPENML`."""

_TIMEOUT = 20.0
_PROBE = 3.0
_NO_NETWORK = 0.5


def fetch(source: str, cache: str | Path | None = None) -> str:
    """Download a data set into the cache, unless it is there.

    Parameters
    ----------
    source : str
        ``openml:ID``, ``openml:NAME`` or ``openml:NAME@VERSION``.
    cache : str or Path, optional
        In place of scikit-learn's data directory.

    Returns
    -------
    str
        One line that says what is there now.

    Raises
    ------
    UserError
        If there is no such data set, or no network.
    """
    data = _load(source, cache, retries=3)
    n_rows, n_columns = data.data.shape
    return f"{source}: {data.details.get('name', '')}, {n_rows} rows, {n_columns} columns, is in the cache"


def read_openml(source: str, cache: str | Path | None = None) -> pd.DataFrame | SparseTable:
    """Read a data set of OpenML, from the cache if it is there, else from the network.

    The target is the one that OpenML names, unless another is asked for.

    Raises
    ------
    UserError
        If it is neither in the cache nor to be had.
    """
    data = _load(source, cache, retries=1)
    target = [str(name) for name in data.target_names or []]
    if not hasattr(data.data, "columns"):
        answers = {name: pd.Series(column) for name, column in zip(target, _columns(data.target), strict=False)}
        dense = pd.DataFrame(answers, index=range(data.data.shape[0]))
        return SparseTable(data.data.tocsr(), tuple(map(str, data.feature_names)), dense, tuple(target))
    frame = data.frame if data.frame is not None else data.data
    frame = frame.copy(deep=False)
    frame.attrs[DEFAULT_TARGET] = target
    return frame


def fetch_suite(source: str, cache: str | Path | None = None) -> list[str]:
    """Download the list of a suite's data sets into the cache, unless it is there.

    Parameters
    ----------
    source : str
        ``openml:suite/ID`` or ``openml:suite/NAME``, such as ``openml:suite/271``.
    cache : str or Path, optional
        In place of scikit-learn's data directory.

    Returns
    -------
    list of str
        Sources of its data sets.

    Raises
    ------
    UserError
        If there is no such suite, or no network.
    """
    return suite_sources(source.removeprefix(OPENML).removeprefix(SUITE), cache)


def suite_sources(suite: str, cache: str | Path | None = None) -> list[str]:
    """Sources (``openml:ID``) of the data sets of a suite, from the cache if it is there, else from the network.

    Raises
    ------
    UserError
        If the suite is neither in the cache nor to be had.
    """
    path = _answers(cache) / "study" / f"{suite}.json"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else _download(f"study/{suite}", path)
        numbers = json.loads(text)["study"]["data"]["data_id"]
    except OSError as error:
        raise UserError(
            f"The OpenML suite {suite} is not in the cache and cannot be downloaded "
            f"({getattr(error, 'reason', error)}); on a node with a network, run "
            f"python -m mpi_automl fetch {OPENML}{SUITE}{suite}"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"What OpenML says of the suite {suite} cannot be read ({error!r}).") from error
    return [f"{OPENML}{int(number)}" for number in numbers]


def _download(what: str, path: Path) -> str:
    patience = _TIMEOUT if _is_reachable() else _NO_NETWORK
    with urlopen(f"https://www.openml.org/api/v1/json/{what}", timeout=patience) as answer:  # noqa: S310
        text: str = answer.read().decode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(path, text, durable=False)
    return text


def _load(source: str, cache: str | Path | None, retries: int) -> Any:
    from sklearn.datasets import fetch_openml

    wanted = _wanted(source)
    try:
        # A compute node behind a firewall that drops packets would otherwise wait for minutes before it says no.
        patience = _TIMEOUT if _is_cached(wanted, cache) or _is_reachable() else _NO_NETWORK
        with _socket_timeout(patience), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fetch_openml(**wanted, data_home=cache, as_frame="auto", parser="auto", n_retries=retries, delay=1.0)
    except OSError as error:
        raise UserError(
            f"{source} is not in the cache and cannot be downloaded ({getattr(error, 'reason', error)}); on a node "
            f"with a network, run python -m mpi_automl fetch {source}"
        ) from error
    except Exception as error:
        raise UserError(
            f"{source} cannot be read: {str(error).splitlines()[0][:200] if str(error) else error!r}"
        ) from error


def _wanted(source: str) -> dict[str, Any]:
    name = source.removeprefix(OPENML).strip()
    if not name:
        raise UserError("openml: needs an id or a name, such as openml:31 or openml:credit-g.")
    if name.isdecimal():
        return {"data_id": int(name)}
    name, _, version = name.partition("@")
    if version and not version.isdecimal():
        raise UserError(f"{source}: the version must be a whole number, such as openml:credit-g@1.")
    return {"name": name, "version": int(version) if version else "active"}


def _columns(target: Any) -> list[Any]:
    if target is None:
        return []
    return [target] if target.ndim == 1 else list(target.T)


def _answers(cache: str | Path | None) -> Path:
    """Where scikit-learn keeps what OpenML answered."""
    from sklearn.datasets import get_data_home

    return Path(get_data_home(cache)) / "openml" / "openml.org" / "api" / "v1" / "json"


def _is_cached(wanted: dict[str, Any], cache: str | Path | None) -> bool:
    entry = str(wanted["data_id"]) if "data_id" in wanted else f"list/data_name/{wanted['name']}"
    answers = _answers(cache) / "data"
    return (answers / entry).exists() or (answers / f"{entry}.gz").exists()


def _is_reachable() -> bool:
    proxy = urlsplit(getproxies().get("https", ""))
    try:
        address = (proxy.hostname or "www.openml.org", proxy.port or 443)
        socket.create_connection(address, timeout=_PROBE).close()
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
