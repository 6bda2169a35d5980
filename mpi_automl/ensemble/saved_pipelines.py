"""Loading fitted pipelines from files that may come from anyone.

skops builds only objects of trusted types. It knows scikit-learn's estimators and NumPy's types itself;
`mpi_automl.space.trusted_types` adds what these hold inside. Everything else in a file is refused before any of it is
built.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from mpi_automl.errors import UserError
from mpi_automl.space.trusted_types import TRUSTED

_EXPORTED = tuple(f"mpi_automl.ensemble.sklearn_export.{name}" for name in ("RawTableEncoder", "ScaledClassifier"))
_OWN_ESTIMATORS = "mpi_automl.space.estimators."


class _Loading:
    """One file at a time: Python 3.11 counts the depth of parsed texts, as arrays have them, over all threads."""

    lock = Lock()

    @classmethod
    def renew(cls) -> None:
        """In a forked process the lock may be held by a thread that is not there."""
        cls.lock = Lock()


os.register_at_fork(after_in_child=_Loading.renew)


def trusted_types(further: Iterable[str] = ()) -> list[str]:
    """Types that may be built from a file, besides those that skops trusts by itself."""
    return [*_EXPORTED, *TRUSTED, *further]


def load_pipelines(path: Path, trusted: Iterable[str] = (), *, file: BinaryIO | None = None) -> list[Any]:
    """Load a list of fitted pipelines.

    Parameters
    ----------
    path : Path
        Written by skops.
    trusted : iterable of str
        Full names of further types to trust, or of modules: then all types defined in them or below.
    file : binary stream, optional
        The file that was opened by that path before.

    Raises
    ------
    UserError
        If the file is missing or damaged, or holds anything of a type that is not trusted.
    """
    try:
        with _Loading.lock:
            loaded = _load(path, path if file is None else file, list(trusted))
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"The model file {path} is missing.") from error
    except Exception as error:
        raise UserError(f"The model file {path} cannot be read ({_line(error)}); it is damaged.") from error
    if not isinstance(loaded, list) or not loaded or not all(hasattr(model, "predict") for model in loaded):
        raise UserError(f"The model file {path} does not hold a list of fitted pipelines.")
    return loaded


def _load(path: Path, file: Path | BinaryIO, further: list[str]) -> Any:
    """Load with the lists alone; types that the package defines are only looked for when they are not enough."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    known = trusted_types(further)
    try:
        return skops.io.load(file, trusted=known)
    except UntrustedTypesFoundException:
        found = set(skops.io.get_untrusted_types(file=file)) - set(known)
    own = {name for name in found if name.startswith((_OWN_ESTIMATORS, *(f"{module}." for module in further)))}
    if found != own:
        names = ", ".join(sorted(found - own))
        raise UserError(
            f"The model file {path} holds objects of types that are not trusted ({names}), so it is not loaded; "
            f"if they belong to components of your own, name their modules with --plugins."
        )
    return skops.io.load(file, trusted=[*known, *own])


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]
