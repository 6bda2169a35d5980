"""Differences between the supported versions of scikit-learn are asked for here."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version


@cache
def sklearn_at_least(major: int, minor: int) -> bool:
    """Whether the installed scikit-learn is of this version or a later one; does not import it."""
    installed = version("scikit-learn").split(".")
    return (int(installed[0]), int(installed[1])) >= (major, minor)
