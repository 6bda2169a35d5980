"""Texts in scripts that write no blanks between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer, Tibetan."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNSPACED = re.compile(
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LETTERS_OF_A_WORD = 2
"""Chinese words have two characters on average; words of the other scripts are longer, which only adds to a count."""


def count_words(text: str) -> int:
    """Words of a text; where a script has no blanks between them, one for every two of its characters."""
    return len(text.split()) + len(_UNSPACED.findall(text)) // _LETTERS_OF_A_WORD


def is_unspaced(texts: Sequence[str]) -> bool:
    """Whether most letters of the texts are of scripts without blanks between words."""
    letters = sum(sum(map(str.isalpha, text)) for text in texts)
    return sum(len(_UNSPACED.findall(text)) for text in texts) * 2 > letters
