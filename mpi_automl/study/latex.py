"""Tables for papers, in LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--",
}  # fmt: skip


@dataclass(frozen=True)
class ReportTable:
    """A table of the report.

    Attributes
    ----------
    name, title, note : str
    head : tuple of str
    rows : tuple of tuple of str
    bold : frozenset of (int, int)
        Rows and columns of cells that stand out.
    texts : int
        How many of the first columns hold text, not numbers.
    """

    name: str
    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bold: frozenset[tuple[int, int]] = frozenset()
    texts: int = 1

    @property
    def marked(self) -> list[list[tuple[str, bool, bool]]]:
        """Cells as a page needs them: text, whether it stands out, whether it is a number."""
        return [
            [(cell, (row, column) in self.bold, column >= self.texts) for column, cell in enumerate(cells)]
            for row, cells in enumerate(self.rows)
        ]


def latex(table: ReportTable) -> str:
    """A ``tabular``, to be put into a document that loads booktabs."""
    columns = "l" * table.texts + "r" * (len(table.head) - table.texts)
    lines = [
        f"% {table.title}. {table.note}".replace("\n", " "),
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _line(table.head),
        r"\midrule",
        *(_line([_cell(text, bold) for text, bold, _ in row], escaped=True) for row in table.marked),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str, bold: bool) -> str:
    return rf"\textbf{{{escape(text)}}}" if bold else escape(text)


def _line(cells: Sequence[str], *, escaped: bool = False) -> str:
    return " & ".join(cells if escaped else map(escape, cells)) + r" \\"


def escape(text: str) -> str:
    """Text in which nothing means anything to LaTeX."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)
