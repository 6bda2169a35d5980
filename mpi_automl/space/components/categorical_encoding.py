"""How categories become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.space.component import (
    BINARY_OR_MULTICLASS,
    MAX_CELLS,
    SINGLE_REGRESSION,
    Component,
    Context,
    Properties,
)
from mpi_automl.space.registry import register
from mpi_automl.space.versions import sklearn_at_least

ABSENT = -1
"""Code of missing and new categories; histogram gradient boosting takes negative codes as missing."""
RARE = 0.25
"""A rare category has less than this of the average rows of a category of its column, so that the rare ones of a column
hold less than this of its rows together."""
TARGET_FOLDS = 5
"""Folds of target encoding: scikit-learn's own default."""
TARGETS = {
    TaskType.BINARY: "binary",
    TaskType.MULTICLASS: "multiclass",
    TaskType.REGRESSION: "continuous",
}


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
        rare = _rare_share(context)
        merging = rare is not None or most is not None
        return OneHotEncoder(
            min_frequency=rare,
            max_categories=most,
            handle_unknown="infrequent_if_exist" if merging else "ignore",
            sparse_output=context.sparse,
        )


@register
class OrdinalEncoding(Component):
    """Ordinal encoding, which every learner takes for numbers; missing and new categories are -1."""

    step = "categorical_encoding"
    name = "encoding"
    properties = Properties(sparse=True, missing=True, preference=2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the encoder."""
        return _category_codes(_rare_share(context))


@register
class NoEncoding(Component):
    """Category codes as they are: a learner that knows categories gets the positions of their columns.

    Other learners, and feature preprocessors, see numbers, as with ordinal encoding. Missing and new
    categories are -1.
    """

    step = "categorical_encoding"
    name = "no_encoding"
    properties = Properties(sparse=True, missing=True, categories=True, preference=3)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer that merges rare categories and marks missing ones."""
        return _category_codes(_rare_share(context))


@register
class TargetEncoding(Component):
    """Target encoding with shrinkage (Micci-Barreca, 2001), cross-fitted so that no row sees its own target."""

    step = "categorical_encoding"
    name = "target_encoding"
    properties = Properties(tasks=BINARY_OR_MULTICLASS | SINGLE_REGRESSION, missing=True, max_outputs=20, preference=4)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the encoder, after merging rare categories if that is wanted."""
        encoder = _target_encoder(TARGETS[context.profile.task_type], context.seed)
        if context.fraction is None:
            return encoder
        from sklearn.pipeline import make_pipeline

        return make_pipeline(_category_codes(_rare_share(context)), encoder)


def _rare_share(context: Context) -> float | None:
    """The share of the rows below which a category is rare; None: no categories are merged.

    It goes by the column with the most categories: where all of them have about the same number of rows, none is rare.
    """
    if context.fraction is None:
        return None
    return min(context.fraction, RARE / max(1, *context.profile.cardinalities))


def _most_categories(profile: Profile) -> int | None:
    columns = len(profile.positions(ColumnKind.CATEGORICAL))
    if profile.is_sparse or sum(profile.cardinalities) * profile.n_rows <= MAX_CELLS:
        return None
    return max(2, MAX_CELLS // (profile.n_rows * columns))


def _category_codes(fraction: float | None) -> Any:
    """An encoder to codes 0, 1, ...; categories rarer than `fraction` of the rows get one common code, None: none."""
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(
        min_frequency=fraction,
        handle_unknown="use_encoded_value",
        unknown_value=ABSENT,
        encoded_missing_value=ABSENT,
    )


def _target_encoder(target_type: str, seed: int) -> Any:
    """scikit-learn's cross-fitted encoder, with folds that are shuffled by `seed`."""
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.preprocessing import TargetEncoder

    if not sklearn_at_least(1, 9):
        return TargetEncoder(target_type=target_type, cv=TARGET_FOLDS, random_state=seed)
    splitter = KFold if target_type == "continuous" else StratifiedKFold
    return TargetEncoder(target_type=target_type, cv=splitter(TARGET_FOLDS, shuffle=True, random_state=seed))
