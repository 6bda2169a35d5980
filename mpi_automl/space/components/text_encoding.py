"""How texts become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import ColumnKind, Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, Integer, flag
from mpi_automl.space.registry import register


@register
class TermFrequencies(Component):
    """Term frequencies, weighted by inverse document frequencies; missing texts are empty ones."""

    step = "text_encoding"
    name = "tfidf_encoding"
    properties = Properties(sparse=True, missing=True, output="sparse", output_nonnegative="yes")
    hyperparameters = (
        Categorical("analyzer", ("char", "word"), "word"),
        Float("max_df", 0.7, 1.0, 1.0),
        Float("min_df", 0.0, 0.3, 0.0),
        Categorical("norm", ("l2", "l1")),
        flag("per_column", False),
        Integer("ngram_range_char", 2, 4, 4, when={"analyzer": ("char",)}),
        Integer("ngram_range_word", 1, 3, 1, when={"analyzer": ("word",)}),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """One vocabulary for each column is a choice only where there are several."""
        several = len(profile.positions(ColumnKind.TEXT)) > 1
        return tuple(h for h in self.hyperparameters if several or h.name != "per_column")

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.text import ColumnsOfText

        size = values["ngram_range_char" if values["analyzer"] == "char" else "ngram_range_word"]
        return ColumnsOfText(
            analyzer=values["analyzer"],
            longest=size,
            max_df=values["max_df"],
            min_df=values["min_df"],
            norm=values["norm"],
            per_column=values.get("per_column", False),
        )
