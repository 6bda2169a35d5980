"""Parquet and Feather files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file; its index, if it has names, becomes columns."""
    return _with_index(pd.read_parquet(path))


def read_feather(path: Path) -> pd.DataFrame:
    """Read a Feather (Arrow IPC) file."""
    return _with_index(pd.read_feather(path))


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return frame.reset_index(level=named) if named else frame
