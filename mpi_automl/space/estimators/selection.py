"""Feature selectors that never leave a learner without features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import GenericUnivariateSelect, SelectFromModel, SelectPercentile


class BestAtLeast:
    """Keeps the feature with the highest score where the selector would keep none."""

    scores_: NDArray[np.float64]

    def _get_support_mask(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = super()._get_support_mask()  # type: ignore[misc]  # a mixin
        if not mask.any():
            mask = np.zeros(len(self.scores_), dtype=bool)
            mask[np.argmax(np.nan_to_num(self.scores_, nan=-np.inf))] = True
        return mask


class SelectShare(BestAtLeast, SelectPercentile):  # type: ignore[misc]
    """`SelectPercentile` that keeps at least one feature."""


class SelectByRate(BestAtLeast, GenericUnivariateSelect):  # type: ignore[misc]
    """`GenericUnivariateSelect` that keeps at least one feature."""


class SelectAtLeastOne(SelectFromModel):  # type: ignore[misc]
    """`SelectFromModel` that keeps every feature where the model uses none."""

    def _get_support_mask(self) -> Any:
        mask = super()._get_support_mask()
        return mask if mask.any() else np.ones_like(mask)
