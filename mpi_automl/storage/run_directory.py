"""The run directory: what a job leaves behind, where each thing lies, and who may write to it.

::

    config.toml      every option that was set
    schema.json      how a table is encoded and predictions decoded
    space.json       the configuration space
    status.json      how the job goes, replaced every few seconds
    lock.json        which job is writing here
    store/           trials and predictions, one leg-NNNN.h5 for each leg
    models/          fitted models of the best trials, <leg>-<rank>-<number>.skops
    model/           the final model
    ensemble.json    members and weights
    importance.json  which hyperparameters and columns matter, once that was asked
    report/          report.html and its plots, once they were made
    logs/            rank-NNNN.log
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.errors import UserError
from mpi_automl.storage import schema
from mpi_automl.storage.run_lock import RunLock
from mpi_automl.toml_file import read_toml

if TYPE_CHECKING:
    from mpi_automl.settings import Settings
    from mpi_automl.trial import TrialKey

RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"
"""Values of ``state`` in status.json; an interrupted run can be resumed."""


class RunDirectory:
    """One run's directory.

    Parameters
    ----------
    path : Path or str
        An existing run directory.

    Raises
    ------
    UserError
        If there is none at `path`.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self._config.is_file():
            raise UserError(f"{self.path} is not a run directory; name one that holds config.toml.")
        self.lock = RunLock(self.path / "lock.json")

    @classmethod
    def create(cls, path: Path | str | None, settings: Settings) -> RunDirectory:
        """Make a run directory and take its lock; nothing that exists is overwritten.

        Parameters
        ----------
        path : Path or str, optional
            By default ``mpi_automl_<date>_<time>`` in the working directory, with a number if there is one already.
        settings : Settings

        Raises
        ------
        UserError
            If there is something at `path`, or it cannot be made.
        """
        if path is not None:
            cls.check_free(path)
        place = Path("mpi_automl_<date>_<time>" if path is None else path)
        try:
            if path is None:
                place = _make_new_place()
            for part in ("", schema.STORE_DIRECTORY, "models", "model", "logs"):
                (place / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{place} cannot be made ({error.strerror}); choose another directory with --out."
            ) from None
        directory = object.__new__(cls)
        directory.path, directory.lock = place, RunLock(place / "lock.json")
        directory.lock.acquire()
        if directory._config.exists():  # a job that has ended since the directory was free
            directory.lock.release()
            cls.check_free(place)
        directory.write_config(settings.to_mapping())
        return directory

    @staticmethod
    def check_free(path: Path | str) -> None:
        """See that a new run directory can be made.

        Raises
        ------
        UserError
            If there is something at `path` already: a finished run, an unfinished one or anything else.
        """
        place = Path(path)
        if not place.exists():
            return
        if not place.is_dir():
            raise UserError(f"{place} is a file; choose another directory with --out.")
        if not any(place.iterdir()):
            return
        if not (place / "config.toml").exists():
            raise UserError(f"{place} is not empty and not a run directory; choose another directory with --out.")
        if RunDirectory(place).state == FINISHED:
            raise UserError(f"{place} holds a finished run, which is never overwritten; choose another with --out.")
        raise UserError(f"{place} holds an unfinished run; resume with --resume {place}, or choose another with --out.")

    @property
    def state(self) -> str:
        """How the run ended: ``running`` (or killed), ``finished`` or ``interrupted``."""
        return str(self.read_status().get("state", RUNNING))

    @property
    def next_leg(self) -> int:
        """Number of the leg that a restart begins; 0 for the first."""
        return max([*schema.legs(self.path), *schema.rank_files(self.path)], default=-1) + 1

    @property
    def _config(self) -> Path:
        return self.path / "config.toml"

    @property
    def models(self) -> Path:
        """Directory of the fitted models of the best trials."""
        return self.path / "models"

    @property
    def model(self) -> Path:
        """Directory of the final model."""
        return self.path / "model"

    @property
    def ensemble(self) -> Path:
        """File with the members of the ensemble and their weights."""
        return self.path / "ensemble.json"

    def model_of(self, key: TrialKey) -> Path:
        """File of the fitted model of a trial."""
        return self.models / f"{key}.skops"

    def log_of(self, rank: int) -> Path:
        """Log file of a rank."""
        return self.path / "logs" / f"rank-{rank:04d}.log"

    def write_config(self, options: Mapping[str, Any]) -> None:
        """Write the options that were set."""
        import tomli_w

        atomic_write_text(self._config, tomli_w.dumps(dict(options)))

    def read_config(self) -> dict[str, Any]:
        """The options that were set; `Settings.from_mapping` takes them."""
        return read_toml(self._config)

    def write_schema(self, text: str) -> None:
        """Write how a table is encoded, as JSON text."""
        atomic_write_text(self.path / "schema.json", text)

    def read_schema(self) -> str:
        """JSON text of how a table is encoded."""
        return self._text("schema.json")

    def write_space(self, text: str) -> None:
        """Write the configuration space, as JSON text."""
        atomic_write_text(self.path / "space.json", text)

    def read_space(self) -> str:
        """JSON text of the configuration space."""
        return self._text("space.json")

    def write_ensemble(self, values: Mapping[str, Any]) -> None:
        """Write the members of the ensemble and what goes with them."""
        atomic_write_text(self.ensemble, json.dumps(values, indent=2))

    def read_ensemble(self) -> dict[str, Any]:
        """Members of the ensemble and what goes with them."""
        values: dict[str, Any] = json.loads(self._text("ensemble.json"))
        return values

    def write_importance(self, values: Mapping[str, Any]) -> None:
        """Write how important hyperparameters and columns are."""
        atomic_write_text(self.path / "importance.json", json.dumps(values, indent=2))

    def read_importance(self) -> dict[str, Any]:
        """How important hyperparameters and columns are; empty if nobody asked yet."""
        if not (self.path / "importance.json").exists():
            return {}
        values: dict[str, Any] = json.loads(self._text("importance.json"))
        return values

    def write_status(self, values: Mapping[str, Any]) -> None:
        """Replace status.json, and show by the lock that this job is alive.

        Meant to be called every few seconds; a reader sees the old text or the new one, never a part.
        With the ``state`` finished or interrupted, this process gives its lock back.
        """
        has_ended = values.get("state") in (FINISHED, INTERRUPTED)
        lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
        atomic_write_text(self.path / "status.json", "{\n" + ",\n".join(lines) + "\n}\n", durable=has_ended)
        if has_ended:
            self.lock.release()
        else:
            self.lock.touch()

    def read_status(self) -> dict[str, Any]:
        """What status.json says; empty before the first status."""
        try:
            values: dict[str, Any] = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"{self.path / name} cannot be read ({error.strerror}); is the run complete?") from None


def _make_new_place() -> Path:
    """Make a directory that was not there: of jobs in the same second, the file system lets one have each name."""
    name = time.strftime("mpi_automl_%Y%m%d_%H%M%S")
    for number in count(1):
        place = Path(name if number == 1 else f"{name}_{number}")
        with suppress(FileExistsError):
            place.mkdir()
            return place
    raise AssertionError
