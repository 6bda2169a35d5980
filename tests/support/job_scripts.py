"""Job scripts under a private Slurm, submitted as a user would."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from launching import CHECKOUT, require_environment
from private_slurm import ENDED, PrivateSlurm

from mpi_automl.storage.reader import RunReader

SCRIPTS = CHECKOUT / "jobs" / "slurm"
_PLAIN = "--report false --include feature_preprocessor:no_preprocessing"
QUICK = f"--time 200 --trials 2 {_PLAIN},classifier:decision_tree"
# Trials take so long that a signal comes before the last of them.
SLOW = f"--time 600 --trials 12 --resampling holdout {_PLAIN},classifier:unhurried --plugins unhurried"
# A node has four cores and 4000 MB here.
SMALL = ("--time=10", "--open-mode=append")
ALONE = ("--nodes=1", "--ntasks-per-node=1", "--mem-per-cpu=1900")
TOGETHER = ("--nodes=1", "--ntasks-per-node=2", "--mem-per-cpu=950")
SPREAD = ("--nodes=2", "--ntasks-per-node=1", "--mem-per-cpu=1900")


@dataclass(frozen=True)
class Job:
    """A submitted script.

    Attributes
    ----------
    slurm : PrivateSlurm
    number : int
    output : Path
    run : Path
        Its run directory.
    """

    slurm: PrivateSlurm
    number: int
    output: Path
    run: Path

    @property
    def text(self) -> str:
        """What the job has printed."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def wait(self, timeout: float = 250.0) -> dict[str, str]:
        """As `PrivateSlurm.wait`; what the job printed is shown when the test fails."""
        try:
            return self.slurm.wait(self.number, timeout)
        finally:
            print(f"--- {self.output.name} ---\n{self.text}")

    def states(self) -> dict[str, str]:
        """The state of each task of a job array."""
        lines = self.slurm.run(
            "squeue", "--noheader", "--array", "--states=all", f"--jobs={self.number}", "--format=%K %T"
        )
        return dict(line.split() for line in lines.splitlines())

    def wait_for_trials(self, leg: int, count: int = 2, timeout: float = 150.0) -> None:
        """Wait until a leg has that many trials on disk."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                if sum(key.leg == leg for key in RunReader(self.run).keys) >= count:
                    return
            except Exception:  # noqa: BLE001  # the store is not there yet
                pass
            if self.slurm.job(self.number)["JobState"] in ENDED:
                break
            time.sleep(0.2)
        pytest.fail(f"leg {leg} had no {count} trials after {timeout:g} s, or when the job ended:\n{self.text}")


class Submitter:
    """Submits scripts with their settings in the environment, as a user may."""

    def __init__(self, slurm: PrivateSlurm, directory: Path, table: Path) -> None:
        self.directory = directory
        self._slurm = slurm
        self._table = table

    @property
    def slurm_path(self) -> str:
        """``PATH`` of commands that talk to Slurm."""
        return self._slurm.variables["PATH"]

    def __call__(self, script: str, name: str, *options: str, **settings: str) -> Job:
        run = self.directory / name
        variables = {"TABLE": str(self._table), "TARGET": "y", "OUT": str(run), "OPTIONS": QUICK, **settings}
        variables["PYTHONPATH"] = f"{CHECKOUT}:{CHECKOUT}/tests/support"
        slurm = PrivateSlurm(self._slurm.directory, {**self._slurm.variables, **variables})
        output = self.directory / f"{name}.out"
        number = slurm.submit(*SMALL, f"--output={output}", *options, SCRIPTS / script, cwd=self.directory)
        return Job(slurm, number, output, run)


def write_table(path: Path) -> Path:
    """Write a table of 3000 rows with a binary target ``y``."""
    from sklearn.datasets import make_classification

    x, y = make_classification(n_samples=3000, n_features=12, n_informative=6, random_state=3)
    rows = (",".join([*(f"{value:.4f}" for value in row), "ab"[label]]) for row, label in zip(x, y, strict=True))
    path.write_text("\n".join([",".join([*(f"x{i}" for i in range(x.shape[1])), "y"]), *rows]) + "\n")
    return path


def command_of(mpi: str, directory: Path) -> Path:
    """Make a directory with the command ``mpi-automl`` of the environment of one of the MPIs."""
    place = directory / mpi
    place.mkdir()
    command = place / "mpi-automl"
    command.write_text(f'#!/bin/sh\nexec {require_environment(mpi).python} -m mpi_automl "$@"\n')
    command.chmod(0o755)
    return place
