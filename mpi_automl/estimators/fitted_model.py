"""The model of a fitted estimator: read from its directory, and pickled with its files."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.options import names

_MODEL_FILES = "_model_files"


class FittedModelMixin(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives an estimator `model_`. A pickle holds the files of the model, so that it predicts anywhere."""

    plugins: Any
    model_: EnsembleModel

    def _temporary(self) -> str:
        """A directory that lives as long as the estimator."""
        place = tempfile.mkdtemp(prefix="mpi_automl_")
        weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        return place

    def _adopt(self, model: Path) -> Any:
        self.model_ = EnsembleModel.load(model, trusted=self._trusted)
        return self

    @property
    def _trusted(self) -> tuple[str, ...]:
        """Modules whose types may be loaded: those that the user named."""
        return names(self.plugins)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            files = self.model_.directory.iterdir()
            state[_MODEL_FILES] = {file.name: file.read_bytes() for file in files if file.is_file()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop(_MODEL_FILES, None)
        super().__setstate__(state)
        if files is not None and not self.model_.directory.exists():
            place = Path(self._temporary())
            for name, content in files.items():
                (place / Path(name).name).write_bytes(content)
            self.model_.directory = place
