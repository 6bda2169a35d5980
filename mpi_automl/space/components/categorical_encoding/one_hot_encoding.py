"""One column of 0 and 1 for each category."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import ColumnKind, Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.registry import register

LARGEST_TABLE = 2**26
"""Values of the encoded table, 512 MiB, beyond which categories are merged further."""


@register
class OneHotEncoding(Component):
    """One-hot encoding: missing is a category of its own, categories not seen before are all zeros."""

    step = "categorical_encoding"
    name = "one_hot_encoding"
    properties = Properties(sparse=True, missing=True, output_nonnegative="yes", preference=1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the encoder; rare categories of a column with very many are merged to bound the memory."""
        from sklearn.preprocessing import OneHotEncoder

        most = _most_categories(context.profile)
        merging = context.fraction is not None or most is not None
        return OneHotEncoder(
            min_frequency=context.fraction,
            max_categories=most,
            handle_unknown="infrequent_if_exist" if merging else "ignore",
            sparse_output=context.sparse,
        )


def _most_categories(profile: Profile) -> int | None:
    columns = len(profile.positions(ColumnKind.CATEGORICAL))
    if profile.is_sparse or sum(profile.cardinalities) * profile.n_rows <= LARGEST_TABLE:
        return None
    return max(2, LARGEST_TABLE // (profile.n_rows * columns))
