"""How a run ended: a small JSON file, and arrays beside it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import mpi_automl
from mpi_automl.errors import UserError
from mpi_automl.study.directory import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.runs.run import Run

ARRAYS = "outcome.npz"
"""In the directory of an attempt: `RunArrays`."""

_PACKAGES = ("numpy", "scikit-learn", "smac", "ConfigSpace", "pandas", "h5py", "mpi4py")


@dataclass(frozen=True)
class Searched:
    """What a run of this package did; other systems do not tell.

    Attributes
    ----------
    metric : str
        What was optimised.
    validation : float
        It, of the final ensemble on the validation rows.
    statuses : dict of str to int
        Trials by status.
    utilisation : float
        Share of the search's wall time in which a rank's trial ran, mean over the ranks.
    members : int
        Models in the ensemble.
    is_dummy : bool
    notes : tuple of str
    """

    metric: str
    validation: float
    statuses: dict[str, int]
    utilisation: float
    members: int
    is_dummy: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes
    ----------
    id : str
    state : str
        ``finished`` or ``failed``.
    attempt : str
        Name of the directory with everything that was written.
    job, group : str, int
        Who did it.
    hosts : tuple of str
        Host of each rank.
    cores : int
    started, ended : float
        Seconds since the epoch, from taking up the run until its result.
    error : str
        Why it failed.
    task_type : str
    run_seconds : float
        Wall time that counts against the run's own limit.
    predict_seconds : float
        Wall time of predicting the test part with the final model.
    cpu_seconds, memory_peak : float or None
        Of another system's processes; MiB.
    searched : Searched or None
    versions : dict of str to str
    """

    id: str
    state: str
    attempt: str
    job: str
    group: int
    hosts: tuple[str, ...]
    cores: int
    started: float
    ended: float
    error: str = ""
    task_type: str = ""
    run_seconds: float = 0.0
    predict_seconds: float = 0.0
    cpu_seconds: float | None = None
    memory_peak: float | None = None
    searched: Searched | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether it has predictions."""
        return self.state == State.FINISHED

    def to_mapping(self) -> dict[str, Any]:
        """The result as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> RunResult:
        """The result that `to_mapping` described."""
        values = {spec.name: mapping[spec.name] for spec in fields(cls) if spec.name in mapping}
        searched = values.get("searched")
        if searched is not None:
            values["searched"] = Searched(**{**searched, "notes": tuple(searched["notes"])})
        return cls(**{**values, "hosts": tuple(values["hosts"])})


@dataclass(frozen=True, eq=False)
class RunArrays:
    """What a finished run predicted, and how it got there.

    Attributes
    ----------
    predictions : ndarray of float64, shape (n_test, n_outputs)
        Of the outer test part: probabilities of the classes or labels, or values.
    truth : ndarray, shape (n_test,) or (n_test, n_outputs)
        Codes of the classes, label indicators or values in the units of the table.
    curve_seconds : ndarray, shape (n_incumbents,)
        When each new best single model was found, from the run's start.
    curve_validation, curve_test : ndarray, shape (n_incumbents,)
        Its value on the validation rows and on the outer test part, NaN where it was not kept.
    """

    predictions: NDArray[np.float64]
    truth: NDArray[Any]
    curve_seconds: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    curve_validation: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    curve_test: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, run: Run, predictions: NDArray[Any], truth: NDArray[Any], started: float) -> RunArrays:
        """Those of a run of this package.

        Parameters
        ----------
        run : Run
        predictions, truth : ndarray
        started : float
            When the run began, in seconds since the epoch.
        """
        from mpi_automl.runs.trajectory import incumbent_trajectory

        curve = incumbent_trajectory(run)
        seconds = run.reader.records["end"][run.incumbents()] - started
        return cls(np.asarray(predictions, dtype=np.float64), truth, seconds, curve.values, curve.test_values)

    def write(self, attempt: Path) -> None:
        """Write them into the directory of an attempt."""
        np.savez(attempt / ARRAYS, **vars(self))

    @classmethod
    def read(cls, attempt: Path) -> RunArrays:
        """Those that `write` wrote.

        Raises
        ------
        UserError
            If they cannot be read.
        """
        try:
            with np.load(attempt / ARRAYS, allow_pickle=False) as arrays:
                return cls(**dict(arrays))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{attempt / ARRAYS} cannot be read ({error}).") from None


def installed_versions() -> dict[str, str]:
    """Releases of the packages that a result may depend on."""
    found = {"mpi_automl": mpi_automl.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
