"""How wide a table becomes."""

from __future__ import annotations

from mpi_automl.data.task import ColumnKind, Profile

TEXT_COLUMNS = 100
"""Columns that texts are reduced to by default."""


def encoded_columns(profile: Profile) -> int:
    """Columns that reach the feature preprocessor at most, roughly: with one-hot encoding of all categories."""
    text = TEXT_COLUMNS if profile.positions(ColumnKind.TEXT) else 0
    return len(profile.positions(ColumnKind.NUMERICAL)) + sum(profile.cardinalities) + text
