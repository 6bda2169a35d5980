"""Columns of texts to term frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer

from mpi_automl.data.scripts import is_unspaced

MAX_TERMS = 50_000
"""Terms of one vocabulary; the most frequent ones are kept."""
SAMPLE = 1_000
"""Texts that tell the script of a column."""
LONGEST_UNSPACED = 3
"""Characters of the longest term in scripts without blanks: most Chinese words have one to three."""


class ColumnsOfText(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """`TfidfVectorizer` for several columns, in which texts may be missing.

    Parameters
    ----------
    analyzer : {"word", "char"}
        What terms are made of. Texts in scripts without blanks between words (Chinese, Thai, ...) have no words to
        tell apart: their terms are of one to `LONGEST_UNSPACED` characters instead.
    longest : int
        Longest term: words or letters in a row.
    max_df, min_df : float
        Terms in more, or fewer, than this share of the texts are left out.
    norm : {"l1", "l2"}
        Rows are scaled to unit length in this norm.
    per_column : bool
        Whether each column has a vocabulary of its own; otherwise their texts are joined.
    """

    def __init__(
        self,
        analyzer: str = "word",
        longest: int = 1,
        max_df: float = 1.0,
        min_df: float = 0.0,
        norm: str = "l2",
        per_column: bool = False,
    ) -> None:
        self.analyzer = analyzer
        self.longest = longest
        self.max_df = max_df
        self.min_df = min_df
        self.norm = norm
        self.per_column = per_column

    def fit(self, X: Any, y: Any = None) -> ColumnsOfText:
        """Learn the vocabularies.

        Parameters
        ----------
        X : DataFrame or array of str, shape (n_rows, n_columns)
        y : ignored
        """
        self.n_features_in_ = X.shape[1]
        self.vectorizers_ = [self._fitted(texts) for texts in self._texts(X)]
        return self

    def transform(self, X: Any) -> sparse.csr_matrix:
        """Weighted frequencies, shape (n_rows, n_terms)."""
        parts = [fitted.transform(texts) for fitted, texts in zip(self.vectorizers_, self._texts(X), strict=True)]
        return sparse.hstack(parts, format="csr")

    def _fitted(self, texts: list[str]) -> TfidfVectorizer:
        """Limits on the frequencies that leave no term are lifted."""
        shortest = 1 if self.analyzer == "word" else min(2, self.longest)
        analyzer, lengths = self.analyzer, (shortest, self.longest)
        if analyzer == "word" and is_unspaced(texts[:SAMPLE]):
            analyzer, lengths = "char", (1, LONGEST_UNSPACED)
        common = {
            "analyzer": analyzer,
            "ngram_range": lengths,
            "norm": self.norm,
            "max_features": MAX_TERMS,
            "dtype": np.float64,
        }
        try:
            return TfidfVectorizer(**common, max_df=self.max_df, min_df=self.min_df).fit(texts)
        except ValueError:
            return TfidfVectorizer(**{**common, "token_pattern": r"(?u)\S+"}).fit([*texts, "empty"])

    def _texts(self, X: Any) -> list[list[str]]:
        values: NDArray[Any] = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
        columns = [[text if isinstance(text, str) else "" for text in column] for column in values.T]
        if self.per_column:
            return columns
        return [[" ".join(row) for row in zip(*columns, strict=True)]]
