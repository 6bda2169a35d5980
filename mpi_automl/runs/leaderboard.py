"""All trials of a run as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.runs.run import Run
    from mpi_automl.trial import TrialKey


def leaderboard(run: Run, weights: Mapping[TrialKey, float]) -> pd.DataFrame:
    """All trials: full ones by rank, then the others, which have none, by cost; see `mpi_automl.trial.is_full`.

    Parameters
    ----------
    run : Run
    weights : mapping of TrialKey to float
        Of the members of the ensemble.

    Returns
    -------
    DataFrame
        Indexed by trial (text leg-rank-number), with ``rank``, ``ensemble_weight``, ``type`` (the learner), ``value``
        (of the metric), ``cost``, ``duration`` (seconds), ``status``, ``mpi_rank`` and what else the store has.
    """
    reader = run.reader
    table = reader.trials().set_index("key")
    ranks = np.full(len(table), np.nan)
    ranks[run.ranking] = np.arange(1, len(run.ranking) + 1)
    table.insert(0, "rank_of_cost", ranks)
    table.insert(1, "ensemble_weight", [weights.get(key, 0.0) for key in reader.keys])
    table.insert(2, "type", [_learner(run.space.configuration(vector)) for vector in reader.vectors])
    table.insert(3, "value", run.metric.value_of(table["cost"].to_numpy()))
    table = table.rename(columns={"rank": "mpi_rank", "rank_of_cost": "rank", "seconds": "duration"})
    return table.sort_values(["rank", "cost"], na_position="last", kind="stable")


def _learner(configuration: dict[str, Any]) -> str:
    chosen = [value for name, value in configuration.items() if name.split(":")[0] in ("classifier", "regressor")]
    return str(chosen[0]) if chosen else "dummy"
