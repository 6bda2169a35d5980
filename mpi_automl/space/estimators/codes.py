"""Codes of categories without missing values."""

from __future__ import annotations

from typing import Any

ABSENT = -1
"""Stands for missing and new categories; histogram gradient boosting takes negative codes as missing."""


def category_codes(fraction: float | None) -> Any:
    """An encoder to codes 0, 1, ..., with `ABSENT` for missing and new categories.

    Parameters
    ----------
    fraction : float or None
        Categories rarer than this share of the rows get one common code; None: every one its own.
    """
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(
        min_frequency=fraction,
        handle_unknown="use_encoded_value",
        unknown_value=ABSENT,
        encoded_missing_value=ABSENT,
    )
