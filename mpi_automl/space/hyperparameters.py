"""Declarations of hyperparameters: plain data, so that a component's file imports nothing heavy.

Convention for values, here and nowhere else: yes or no is a `bool`, a number is an `int` or
`float`, everything else is a `str`; the absence of something is the text ``"none"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str
When: TypeAlias = Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True)
class Float:
    """A real number.

    Attributes
    ----------
    name : str
        Name within the component.
    lower, upper : float
        Inclusive bounds.
    default : float
    log : bool
        Whether equal ratios, not equal differences, are equally far apart.
    when : mapping of str to tuple
        Active only while each named hyperparameter of the same component has one of the values.
    """

    name: str
    lower: float
    upper: float
    default: float
    log: bool = False
    when: When = field(default_factory=dict)


@dataclass(frozen=True)
class Integer:
    """A whole number; the attributes are those of `Float`."""

    name: str
    lower: int
    upper: int
    default: int
    log: bool = False
    when: When = field(default_factory=dict)


@dataclass(frozen=True)
class Categorical:
    """One of several values; the first is the default unless another is named.

    Attributes
    ----------
    name : str
        Name within the component.
    choices : tuple of bool, int, float or str
    default : bool, int, float, str or None
        None stands for the first choice.
    when : mapping of str to tuple
        Active only while each named hyperparameter of the same component has one of the values.
    """

    name: str
    choices: tuple[Value, ...]
    default: Value | None = None
    when: When = field(default_factory=dict)


Hyperparameter: TypeAlias = Float | Integer | Categorical


def flag(name: str, default: bool, when: When | None = None) -> Categorical:
    """Yes or no, the default first."""
    return Categorical(name, (default, not default), default, when or {})


def bounded(
    name: str, lower: int, upper: int, default: int, limit: int, *, log: bool = False, when: When | None = None
) -> Integer:
    """A whole number whose bounds and default are brought below what the data allow.

    Parameters
    ----------
    limit : int
        The largest value that makes sense, for example the number of rows; at least 2 is kept so
        that something remains to be chosen from.
    """
    limit = max(2, limit)
    top = min(upper, limit)
    bottom = min(lower, max(1, top // 2))
    return Integer(name, bottom, top, min(max(default, bottom), top), log, when or {})
