"""What a check of the doctor came to."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, WRONG = "ok", "warning", "wrong"


@dataclass(frozen=True)
class CheckResult:
    """What a check came to.

    Attributes
    ----------
    level : {"ok", "warning", "wrong"}
    topic : str
    text : str
        What is there and, unless it is fine, what to do.
    """

    level: str
    topic: str
    text: str
