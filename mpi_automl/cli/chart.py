"""A small line chart in a terminal, of the dots of Braille characters."""

from __future__ import annotations

from collections.abc import Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot of a Braille character: four rows of two."""
_SETTLED = 0.1
"""What came in this first part of the line does not stretch the scale: the first models are often far off."""


def step_chart(points: Sequence[tuple[float, float]], end: float, width: int, height: int) -> list[str]:
    """Draw a value that stays as it is until it changes.

    Parameters
    ----------
    points : sequence of (float, float)
        Time and new value, in the order of time; the chart begins at time 0.
    end : float
        Time at the right edge.
    width, height : int
        Characters.

    Returns
    -------
    list of str
        Lines from top to bottom, with the highest and the lowest value of the scale beside them; empty without points.
    """
    if not points or end <= 0 or width < 2:
        return []
    columns = _values(points, end, 2 * width)
    seen = [value for value in columns if value is not None] or [points[-1][1]]
    settled = seen[int(_SETTLED * len(seen)) :]
    low, high = min(settled), max(settled)
    cells = [[0] * width for _ in range(height)]
    before: int | None = None
    for column, value in enumerate(columns):
        if value is None:
            continue
        row = _row(value, low, high, 4 * height)
        for each in range(min(row, row if before is None else before), max(row, row if before is None else before) + 1):
            cells[each // 4][column // 2] |= _DOTS[each % 4][column % 2]
        before = row
    labels = [f"{high:.4g}", *[""] * (height - 2), f"{low:.4g}"] if height > 1 else [f"{high:.4g}"]
    margin = max(map(len, labels))
    return [
        f"{label:>{margin}} {''.join(chr(0x2800 + dots) for dots in line)}"
        for label, line in zip(labels, cells, strict=True)
    ]


def _values(points: Sequence[tuple[float, float]], end: float, columns: int) -> list[float | None]:
    """The value at the end of each column; None before the first point."""
    values: list[float | None] = []
    position, value = 0, None
    for column in range(columns):
        while position < len(points) and points[position][0] <= (column + 1) * end / columns:
            value = points[position][1]
            position += 1
        values.append(value)
    return values


def _row(value: float, low: float, high: float, rows: int) -> int:
    """Row of dots from the top, for a value that may lie outside of the scale."""
    if high <= low:
        return rows // 2
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return round((1.0 - share) * (rows - 1))
