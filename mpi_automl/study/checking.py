"""Checks of a study's file: every complaint says where it is and what would be right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from mpi_automl.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class StudySection:
    """A table of a study's file, with what is needed to complain about it.

    Attributes
    ----------
    values : dict of str to Any
    file : str
    place : str
        As the file writes it, such as ``[split]``; empty for the whole file.
    """

    values: dict[str, Any]
    file: str
    place: str

    def error(self, text: str) -> UserError:
        """A complaint: a sentence that goes on from the section's name, without its full stop."""
        subject = self.place or "the file"
        return UserError(f"{self.file}: {subject} {text}{'' if text.endswith('?') else '.'}")

    def only(self, *known: str) -> None:
        """See that there are no other keys.

        Raises
        ------
        UserError
            With the nearest right key.
        """
        for key in self.values:
            if key not in known:
                raise self.error(f"has no key {key}; {_hint(key, known)}")

    def one_of(self, key: str, value: str, known: Sequence[str], more: str = "") -> None:
        """See that a value is one of those known.

        Raises
        ------
        UserError
            With the nearest right one.
        """
        if value not in known:
            near = get_close_matches(value, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it must be one of {', '.join(known)} {more}".rstrip()
            raise self.error(f"has {key} = {value!r}; {hint}")

    def value(self, key: str, convert: Callable[[Any], T], default: T) -> T:
        """A value, converted.

        Raises
        ------
        UserError
            If it cannot be.
        """
        if key not in self.values:
            return default
        given = self.values[key]
        try:
            if not isinstance(given, dict):
                return convert(given)
            text = ""
        except (TypeError, ValueError) as error:
            text = str(error)
        wanted = text if text.startswith("a ") else "a number" if convert is float else "text"
        raise self.error(f"has {key} = {given!r}; it must be {wanted}")

    def table(self, key: str) -> StudySection:
        """A table inside; empty where there is none.

        Raises
        ------
        UserError
            If there is something else.
        """
        place = f"{self.place[:-1]}.{key}]" if self.place else f"[{key}]"
        given = self.values.get(key, {})
        if not isinstance(given, dict):
            raise self.error(f"has {key} = {given!r}; it must be a table {place}")
        return StudySection(given, self.file, place)

    def tables(self, key: str) -> list[StudySection]:
        """An array of tables inside.

        Raises
        ------
        UserError
            If there is something else.
        """
        given = self.values.get(key, [])
        if isinstance(given, dict):
            given = [given]
        if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
            raise self.error(f"has {key} = {given!r}; write [[{key}]], once for each")
        return [
            StudySection(entry, self.file, f"[[{key}]] number {number}" if len(given) > 1 else f"[[{key}]]")
            for number, entry in enumerate(given, 1)
        ]

    def checked(self, build: Callable[[], Any]) -> None:
        """Let something else check the values, and say where it found a mistake."""
        try:
            build()
        except UserError as error:
            raise UserError(f"{self.file}: {self.place}: {error}") from None


def _hint(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, n=1, cutoff=0.5)
    shown = [name for name in known if "-" not in name]
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(shown)}"
