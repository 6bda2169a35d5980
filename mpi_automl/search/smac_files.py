"""The run history in the files that SMAC 2 writes, for tools that read these."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from smac.runhistory.enumerations import StatusType
from smac.runhistory.runhistory import RunHistory
from smac.scenario import Scenario

from mpi_automl.trial import Status

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from numpy.typing import NDArray

_STATUSES = {
    Status.SUCCESS: StatusType.SUCCESS,
    Status.CRASHED: StatusType.CRASHED,
    Status.TIMEOUT: StatusType.TIMEOUT,
    Status.MEMOUT: StatusType.MEMORYOUT,
    # SMAC has no status for it; its own racing counts such a trial as one that took too long.
    Status.PRUNED: StatusType.TIMEOUT,
}


@dataclass(frozen=True, eq=False)
class FinishedTrials:
    """Trials in the order of their end; all arrays have the shape (n_trials,) unless said otherwise.

    Attributes
    ----------
    vectors : ndarray of float64, shape (n_trials, n_hyperparameters)
    costs : ndarray of float64
        NaN where a trial has none.
    statuses : ndarray of int
        Values of `Status`.
    starts, ends : ndarray of float64
        Seconds since the epoch.
    cpu_seconds : ndarray of float64
    names, origins : list of str
        Key and origin of each trial.
    """

    vectors: NDArray[np.float64]
    costs: NDArray[np.float64]
    statuses: NDArray[np.uint8]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    cpu_seconds: NDArray[np.float64]
    names: list[str]
    origins: list[str]


def write_smac_files(directory: Path, space: ConfigurationSpace, trials: FinishedTrials, seed: int) -> int:
    """Write scenario.json, configspace.json, runhistory.json, intensifier.json and optimization.json.

    SMAC has one trial for a configuration and seed: of configurations that were evaluated several times the first trial
    is written. The dummy has no configuration, and trials that were stopped say too little: they are
    left out. The seed of all trials is the run's, as readers such as DeepCAVE want a single one.

    Parameters
    ----------
    directory : Path
        Made if need be.
    space : ConfigurationSpace
    trials : FinishedTrials
    seed : int

    Returns
    -------
    int
        Number of trials written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    start = float(trials.starts.min()) if len(trials.starts) else 0.0
    history, trajectory = _history(space, trials, seed, start)
    history.save(directory / "runhistory.json")
    space.to_json(directory / "configspace.json")
    _write(directory / "scenario.json", _scenario(directory, space, history.finished, seed))
    _write(directory / "intensifier.json", _intensifier(trajectory))
    _write(directory / "optimization.json", _optimization(trials, start))
    return int(history.finished)


def _history(
    space: ConfigurationSpace, trials: FinishedTrials, seed: int, start: float
) -> tuple[RunHistory, list[dict[str, object]]]:
    """SMAC's run history, and its trajectory of incumbents."""
    history, trajectory, best = RunHistory(), [], np.inf
    for row in _written_rows(trials):
        configuration = Configuration(space, vector=trials.vectors[row])
        configuration.origin = trials.origins[row]
        if configuration in history:
            continue
        status = _STATUSES[Status(trials.statuses[row])]
        cost = float(trials.costs[row]) if status is StatusType.SUCCESS else np.inf
        begun, ended = float(trials.starts[row]), float(trials.ends[row])
        history.add(
            configuration,
            cost,
            time=ended - begun,
            cpu_time=float(trials.cpu_seconds[row]),
            status=status,
            seed=seed,
            starttime=begun,
            endtime=ended,
            additional_info={"trial": trials.names[row]},
        )
        if cost < best:
            best = cost
            number = history.get_config_id(configuration)
            trajectory.append(
                {"config_ids": [number], "costs": [cost], "trial": history.finished, "walltime": ended - start}
            )
    return history, trajectory


def _intensifier(trajectory: list[dict[str, object]]) -> dict[str, object]:
    return {
        "incumbent_ids": trajectory[-1]["config_ids"] if trajectory else [],
        "rejected_config_ids": [],
        "incumbents_changed": len(trajectory),
        "trajectory": trajectory,
        "state": {},
    }


def _optimization(trials: FinishedTrials, start: float) -> dict[str, object]:
    last = float(trials.ends.max()) if len(trials.ends) else 0.0
    return {
        "used_walltime": last - start if len(trials.ends) else 0.0,
        "used_target_function_walltime": float((trials.ends - trials.starts).sum()),
        "used_target_function_cputime": float(trials.cpu_seconds.sum()),
        "last_update": last,
        "finished": True,
    }


def _written_rows(trials: FinishedTrials) -> list[int]:
    has_configuration = ~np.isnan(trials.vectors).all(axis=1)
    return [int(row) for row in np.flatnonzero(has_configuration) if Status(trials.statuses[row]) in _STATUSES]


def _scenario(directory: Path, space: ConfigurationSpace, n_trials: int, seed: int) -> dict[str, object]:
    scenario = Scenario(space, name=directory.resolve().name, deterministic=True, n_trials=max(1, n_trials), seed=seed)
    facts: dict[str, object] = Scenario.make_serializable(scenario)
    return facts | {"output_directory": str(directory)}


def _write(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=2), encoding="utf-8")
