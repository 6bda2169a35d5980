"""How good a run's best single model was at each moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.storage.reader import RunReader
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]


def curve_of(directory: Path, plugins: Sequence[str], started: float) -> tuple[Values, Values, Values]:
    """The incumbents of a run, as its prediction store has them.

    Parameters
    ----------
    directory : Path
        The run directory.
    plugins : sequence of str
    started : float
        When the run began, in seconds since the epoch.

    Returns
    -------
    seconds, validation, test : ndarray, shape (n_incumbents,)
        When each was found; its value on the validation rows and on the test rows, NaN where it was not kept.
    """
    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=plugins)
    table = reader.trials()
    table = table[np.isfinite(table["cost"])].sort_values("end", kind="stable")
    costs = table["cost"].to_numpy()
    best_before = np.minimum.accumulate(np.r_[np.inf, costs])[:-1]
    incumbents = table[costs < best_before]
    keys = [TrialKey(*key) for key in incumbents[["leg", "rank", "number"]].itertuples(index=False, name=None)]
    kept = {key for key, has in zip(reader.keys, reader.has_predictions, strict=True) if has}
    validation = np.asarray(facts.metric.value_of(incumbents["cost"].to_numpy()), dtype=np.float64)
    test = _test_values(reader, facts, [key for key in keys if key in kept])
    return (
        incumbents["end"].to_numpy() - started,
        validation,
        np.array([test.get(key, np.nan) for key in keys], dtype=np.float64),
    )


def _test_values(reader: RunReader, facts: RunFacts, keys: Sequence[TrialKey]) -> dict[TrialKey, float]:
    truth = reader.test_truth()
    stored = reader.test_predictions(keys) if keys else None
    if truth is None or stored is None:
        return {}
    task_type = facts.schema.task_type
    return {key: _value(facts, truth, predictions, task_type) for key, predictions in zip(keys, stored, strict=True)}


def _value(facts: RunFacts, truth: Any, predictions: Any, task_type: Any) -> float:
    try:
        return facts.metric.value(truth, predictions, task_type)
    except ValueError:
        return float("nan")
