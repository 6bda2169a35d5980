"""Histogram gradient boosting whose bins are those of the rows, whatever their weights."""

from __future__ import annotations

import inspect
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier


class UnweightedBinsClassifier(HistGradientBoostingClassifier):  # type: ignore[misc]
    """`HistGradientBoostingClassifier` that counts rows, not weights, where it looks for bins.

    So did scikit-learn up to 1.8. Since 1.9 it searches every weighted threshold of a column in a pass of its own over
    the column: 0.9 s for 285 rows of 30 columns, in every stage of staged fitting, against 0.02 s for all
    columns without weights. The trees are grown with the weights.
    """

    def _bin_data(self, X: Any, *others: Any, **named: Any) -> Any:
        # The only place that sees bins and weights apart; a scikit-learn without it bins in its own way.
        bins = super()._bin_data
        bound = inspect.signature(bins).bind(X, *others, **named)
        if "sample_weight" in bound.arguments:
            bound.arguments["sample_weight"] = None
        return bins(*bound.args, **bound.kwargs)
