"""An option of `mpi_automl.settings.Settings`: how its value is converted, checked and described.

Each option is declared with its default and help in `mpi_automl.settings`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mpi_automl.errors import UserError

AUTO: Any = "auto"
"""A value that is determined when the job starts."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?")
_DURATION_UNITS = {None: 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(MiB|GiB|MB|GB|M|G)?", re.IGNORECASE)
_MEMORY_UNITS = {None: 1.0, "m": 1.0, "mib": 1.0, "g": 1024.0, "gib": 1024.0, "mb": 1e6 / 2**20, "gb": 1e9 / 2**20}


def seconds(value: Any) -> float:
    """Seconds from a number, or from a text such as ``90``, ``90s``, ``15m``, ``2h``, ``1d`` or ``1:30:00``."""
    if isinstance(value, str):
        text = value.strip().lower()
        if match := _DURATION.fullmatch(text):
            return float(match[1]) * _DURATION_UNITS[match[2]]
        if re.fullmatch(r"\d+(:\d{1,2}){1,2}", text):
            parts = [int(part) for part in text.split(":")]
            return float(sum(part * 60**power for power, part in enumerate(reversed(parts))))
        raise ValueError("a time such as 90s, 15m or 2h")
    return float(value)


def seconds_or_auto(value: Any) -> Any:
    """As `seconds`; ``auto`` stays as it is."""
    return AUTO if value == AUTO else seconds(value)


def mebibytes(value: Any) -> float:
    """MiB from a number, or from a text such as ``1024``, ``1024MiB`` or ``2GiB``."""
    if isinstance(value, str):
        if match := _MEMORY.fullmatch(value.strip()):
            return float(match[1]) * _MEMORY_UNITS[match[2].lower() if match[2] else None]
        raise ValueError("a size such as 1024, 1024MiB or 2GiB")
    return float(value)


def integer(value: Any) -> int:
    """A whole number; ``3.0`` is one, ``3.5`` and ``true`` are not."""
    if isinstance(value, bool):
        raise ValueError("a whole number")
    converted = float(value)
    if not converted.is_integer():
        raise ValueError("a whole number")
    return int(converted)


def count_or_auto(value: Any) -> Any:
    """As `integer`; ``auto`` stays as it is."""
    try:
        return AUTO if value == AUTO else integer(value)
    except ValueError:
        raise ValueError("a whole number or auto") from None


def count_or_size(value: Any) -> int | str:
    """A count (``50``), or a size with its unit (``2GiB``), which becomes a size in MiB (``2048MiB``)."""
    try:
        return integer(value)
    except ValueError:
        size = str(value).strip()
        if size[-1:].isdigit() or not _MEMORY.fullmatch(size):
            raise ValueError("a count such as 50, or a size with its unit such as 2GiB") from None
        return f"{mebibytes(size):.3f}".rstrip("0").rstrip(".") + "MiB"


def count_or_share(value: Any) -> int | float:
    """A count (``50``) or a share of all (``0.5``)."""
    if isinstance(value, bool):
        raise ValueError("a count such as 50, or a share such as 0.5")
    converted = float(value)
    if 0 < converted < 1:
        return converted
    return integer(value)


def names(value: Any) -> tuple[str, ...]:
    """Names from a list, or from a text with commas between them; a name in double quotes may have commas itself."""
    if isinstance(value, str):
        parts = re.findall(r'\s*"((?:[^"]|"")*)"\s*(?:,|$)|([^,]+)', value)
        return tuple(quoted.replace('""', '"') or plain.strip() for quoted, plain in parts if quoted or plain.strip())
    return tuple(str(part) for part in value)


def runs(value: Any) -> tuple[str, ...]:
    """Run directories, as `names`; False, which is scikit-learn's usual ``warm_start``, means none."""
    return () if value is False else names(value)


def boolean(value: Any) -> bool:
    """``true`` or ``false``, also as yes/no, on/off, 1/0."""
    if isinstance(value, bool):
        return value
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    try:
        return known[str(value).strip().lower()]
    except KeyError:
        raise ValueError("true or false") from None


SPLITTERS = ("auto", "holdout", "cv", "repeated-cv", "group", "time-series")


def splitter(value: Any) -> str:
    """The name of a resampling, or the import path of a scikit-learn splitter, ``package.module:Class(n_splits=3)``."""
    name = str(value).strip()
    if name in SPLITTERS or re.fullmatch(r"[\w.]+:\w+(\(.*\))?", name):
        return name
    near = get_close_matches(name, SPLITTERS, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ValueError(f"one of {', '.join(SPLITTERS)}{hint} or package.module:Class(arguments)")


_ACCEPTED: dict[Callable[[Any], Any], str] = {
    str: "str",
    float: "float",
    integer: "int",
    boolean: "bool",
    seconds: "float | str",
    seconds_or_auto: "float | str",
    mebibytes: "float | str",
    count_or_auto: 'int | Literal["auto"]',
    count_or_size: "int | str",
    count_or_share: "int | float",
    names: "str | Sequence[str]",
    runs: "str | Sequence[str]",
    splitter: "str",
}
"""What a program gives to each converter, as a type annotation. (A text is also converted, for command lines.)"""

_UNITS: dict[Callable[[Any], Any], str] = {seconds: "seconds", seconds_or_auto: "seconds", mebibytes: "MiB"}


@dataclass(frozen=True)
class Option:
    """How one option is converted, checked and described.

    Attributes
    ----------
    default : object
    convert : callable
        Makes the value of a text, a TOML value or a Python value. Raises `ValueError` with what the value must be.
    help : str
        What the option means: begins with a noun, has no full stop. Other options are named as on the command line.
    group : {"data", "search", "evaluation", "ensemble", "storage"}
    choices : tuple of str, optional
        All values, where there are few.
    metavar : str, optional
        The value in the help of the command line.
    min, max : float, optional
        Limits of a number.
    unset : str
        What the default None stands for.
    autosklearn : str
        What auto-sklearn calls its parameter for this, if it has one.
    """

    default: Any
    convert: Callable[[Any], Any]
    help: str
    group: str
    choices: tuple[str, ...] | None = None
    metavar: str | None = None
    min: float | None = None
    max: float | None = None
    unset: str = ""
    autosklearn: str = ""

    @property
    def unit(self) -> str:
        """``"seconds"``, ``"MiB"`` or nothing."""
        return _UNITS.get(self.convert, "")

    @property
    def annotation(self) -> str:
        """What a program may give, as a type annotation."""
        accepted = _ACCEPTED[self.convert]
        if self.choices:
            accepted = "Literal[" + ", ".join(f'"{choice}"' for choice in self.choices) + "]"
        return accepted if self.default is not None else f"{accepted} | None"

    def checked(self, name: str, value: Any) -> Any:
        """A value, converted.

        Parameters
        ----------
        name : str
            Of the option, with underscores.
        value : object

        Raises
        ------
        UserError
            If the value is wrong; the sentence says what it must be.
        """
        wrong = f"--{name.replace('_', '-')} is {value!r}; it must be"
        try:
            converted = self.convert(value)
        except (TypeError, ValueError) as error:
            wanted = str(error) if str(error).startswith("a ") or " or " in str(error) else "a number"
            raise UserError(f"{wrong} {wanted}.") from None
        if self.choices and converted not in self.choices:
            near = get_close_matches(str(converted), self.choices, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise UserError(f"{wrong} one of {', '.join(self.choices)}{hint}.")
        if isinstance(converted, float) and not math.isfinite(converted):
            raise UserError(f"{wrong} finite.")
        if isinstance(converted, str):
            return converted
        if self.min is not None and converted < self.min:
            raise UserError(f"{wrong} at least {self.min:g}.")
        if self.max is not None and converted > self.max:
            raise UserError(f"{wrong} at most {self.max:g}.")
        return converted
