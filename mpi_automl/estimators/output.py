"""Predictions as arrays, or as pandas objects with the index of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray


class OutputMixin:
    """scikit-learn's `set_output` for predictions; scikit-learn has it for transformers only.

    Predictions are arrays by default, as with scikit-learn's own predictors. scikit-learn's global option
    ``transform_output`` concerns transformers and changes nothing here.
    """

    def set_output(self, *, transform: str | None = None) -> Any:
        """Choose the container that `predict` and `predict_proba` return.

        Parameters
        ----------
        transform : {"default", "pandas"}, optional
            Arrays, or a Series or DataFrame with the index of the rows given. None changes nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For any other `transform`.
        """
        if transform not in (None, "default", "pandas"):
            raise ValueError(f"transform is {transform!r}; it must be 'default' or 'pandas'.")
        if transform is not None:
            # scikit-learn's clone copies an attribute of this name.
            self._sklearn_output_config = {"transform": transform}
        return self

    def _wrapped(self, values: NDArray[Any], X: Any, names: Sequence[Any]) -> Any:
        """Values in the chosen container; `names` are those of the columns, or of the only one."""
        if getattr(self, "_sklearn_output_config", {}).get("transform") != "pandas":
            return values
        import pandas as pd

        index = getattr(X, "index", None)
        if values.ndim == 1:
            return pd.Series(values, index=index, name=names[0])
        return pd.DataFrame(values, index=index, columns=list(names))
