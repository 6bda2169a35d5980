"""All trials of a run as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.storage.reader import RunReader
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    import pandas as pd


def leaderboard(directory: Path | str, weights: Mapping[TrialKey, float], plugins: Sequence[str] = ()) -> pd.DataFrame:
    """All trials, best first; those that failed or were stopped early come last and have no rank.

    Parameters
    ----------
    directory : Path or str
        The run directory.
    weights : mapping of TrialKey to float
        Of the members of the ensemble.
    plugins : sequence of str
        Modules that register the components of the user's own that the run was made with.

    Returns
    -------
    DataFrame
        Indexed by trial (text leg-rank-number), with ``rank``, ``ensemble_weight``, ``type`` (the learner), ``value``
        (of the metric), ``cost``, ``duration`` (seconds), ``status``, ``mpi_rank`` and what else the store has.
    """
    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=plugins)
    table = reader.trials().set_index("key")
    whole = table["cost"].where(table["status"] == "success")
    table.insert(0, "rank_of_cost", whole.rank(method="first"))
    table.insert(1, "ensemble_weight", [weights.get(key, 0.0) for key in reader.keys])
    table.insert(2, "type", [_learner(facts.space.configuration(vector)) for vector in reader.vectors])
    table.insert(3, "value", facts.metric.value_of(table["cost"].to_numpy()))
    table = table.rename(columns={"rank": "mpi_rank", "rank_of_cost": "rank", "seconds": "duration"})
    return table.sort_values("rank", na_position="last", kind="stable")


def _learner(configuration: dict[str, Any]) -> str:
    chosen = [value for name, value in configuration.items() if name.split(":")[0] in ("classifier", "regressor")]
    return str(chosen[0]) if chosen else "dummy"
