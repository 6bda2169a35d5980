"""The final model: a directory of members' pipelines, and predictions from raw tables.

``manifest.json`` says how the table is encoded, who the members are and how they are combined;
``<leg>-<rank>-<number>.skops`` holds the fitted pipelines of one member. So members can be written by different ranks,
and predicting never needs more than one of them in memory. A loaded model holds its files: it predicts when the
directory is gone, or holds another model.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mpi_automl.atomic_write import atomic_write, atomic_write_text
from mpi_automl.data.schema import Schema
from mpi_automl.ensemble.combination import MemberCombination, from_mapping, parse_key
from mpi_automl.ensemble.held_files import IN_MEMORY, HeldFile, hold_contents, hold_files
from mpi_automl.ensemble.saved_pipelines import load_pipelines
from mpi_automl.errors import UserError
from mpi_automl.metrics.catalogue import METRICS
from mpi_automl.space.predictions import predict
from mpi_automl.trial import TrialKey

MANIFEST = "manifest.json"
_VERSION = 1
_BATCH_ROWS = 20_000
"""Rows predicted at once, so that what a pipeline makes on the way stays small."""
_PACKAGES = ("mpi_automl", "scikit-learn", "numpy", "skops")


@dataclass(frozen=True)
class MemberFile:
    """The pipelines of one member.

    Attributes
    ----------
    name : str
        Of the file in the model's directory.
    sha256 : str
        Hash of its content, hexadecimal.
    kind : {"folds", "refit"}
        One pipeline for each fold of the resampling, whose predictions are averaged, or one fitted on all rows.
    """

    name: str
    sha256: str
    kind: str


def add_member(directory: Path, key: TrialKey, source: Path, kind: str) -> MemberFile:
    """Put the pipelines of one member into a model's directory; any rank may do this for any member.

    Parameters
    ----------
    directory : Path
        Made if need be.
    key : TrialKey
    source : Path
        A list of fitted pipelines, written by skops. Linked where the file system can, else copied.
    kind : {"folds", "refit"}

    Returns
    -------
    MemberFile
        For `write_manifest`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{key}.skops"
    with atomic_write(directory / name) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
    with (directory / name).open("rb") as file:
        return MemberFile(name, _sha256(file), kind)


def write_manifest(
    directory: Path,
    schema: Schema,
    combination: MemberCombination,
    files: Mapping[TrialKey, MemberFile],
    metric: str,
    run: str = "",
) -> None:
    """Complete a model whose members are all there; before, the directory is not a model.

    Parameters
    ----------
    directory : Path
    schema : Schema
    combination : MemberCombination
    files : mapping of TrialKey to MemberFile
        Of all members, as `add_member` returned them.
    metric : str
        What the ensemble was chosen by.
    run : str
        The run that its members come from, as `Run.identity` has it.
    """
    manifest = {
        "version": _VERSION,
        "metric": metric,
        "run": run,
        "combination": combination.to_mapping(),
        "members": {str(key): vars(files[key]) for key in combination.weights},
        "packages": {name: _release(name) for name in _PACKAGES},
        "schema": json.loads(schema.to_json()),
    }
    atomic_write_text(directory / MANIFEST, json.dumps(manifest, indent=1), durable=False)


@dataclass(eq=False)
class EnsembleModel:
    """Predicts raw tables with the members of a model's directory.

    Members are loaded when they are needed, and kept as long as their files together are no larger than `memory`.
    Threads may share a model. Copies share its files.

    Attributes
    ----------
    directory : Path
        Where the model was found.
    schema : Schema
    combination : MemberCombination
    files : dict of TrialKey to MemberFile
    held : dict of str to HeldFile
        The files by their names; without those that were missing.
    metric : str
        What the ensemble was chosen by.
    run : str
        The run that its members come from, as `Run.identity` has it; empty if it is not known.
    trusted : tuple of str
        Full names of further types that the members may hold, or of modules with such types.
    memory : float
        MiB of members' files to keep loaded.
    """

    directory: Path
    schema: Schema
    combination: MemberCombination
    files: dict[TrialKey, MemberFile]
    held: dict[str, HeldFile]
    metric: str
    run: str = ""
    trusted: tuple[str, ...] = ()
    memory: float = 1024.0
    _loaded: dict[TrialKey, list[Any]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def load(cls, directory: Path | str, *, trusted: Iterable[str] = (), memory: float = 1024.0) -> EnsembleModel:
        """Open a model; its members are loaded when they are first needed.

        Parameters
        ----------
        directory : Path or str
            Such as ``runs/price/model``.
        trusted, memory
            The attributes of these names.

        Returns
        -------
        EnsembleModel

        Raises
        ------
        UserError
            If there is no model, its manifest is damaged, or a file cannot be read.
        """
        directory = Path(directory)
        try:
            manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise UserError(f"There is no model in {directory}; name the directory with {MANIFEST}.") from error
        except ValueError as error:
            raise UserError(f"The file {directory / MANIFEST} is damaged ({error}).") from error
        try:
            version = manifest["version"]
            if version != _VERSION:
                raise UserError(f"The model in {directory} has version {version}; this release reads {_VERSION}.")
            combination = from_mapping(manifest["combination"])
            files = {parse_key(key): MemberFile(**facts) for key, facts in manifest["members"].items()}
            schema = Schema.from_json(json.dumps(manifest["schema"]))
            _check_files(combination, files)
            held = hold_files(directory / file.name for file in files.values())
            metric, run = str(manifest["metric"]), str(manifest.get("run", ""))
            return cls(directory, schema, combination, files, held, metric, run, tuple(trusted), memory)
        except OSError as error:
            raise UserError(f"The model in {directory} cannot be read ({error}).") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"The file {directory / MANIFEST} is damaged ({error!r}).") from error

    @property
    def weights(self) -> dict[TrialKey, float]:
        """Weights of the members, heaviest first."""
        return self.combination.weights

    @property
    def is_in_memory(self) -> bool:
        """Whether the files are held in memory: those of a large model stay on disk, held open."""
        return sum(file.size for file in self.held.values()) <= IN_MEMORY

    def predict(self, table: Any) -> NDArray[Any]:
        """Labels or values, as they were in the training table.

        Values are in the domain of the metric that the ensemble was chosen by, such as none below zero for the root
        mean squared log error.

        Parameters
        ----------
        table : DataFrame, SparseTable, sparse matrix or ndarray, shape (n_rows, n_columns)
            Raw rows with the columns of the training table.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_targets)

        Raises
        ------
        UserError
            If the table does not fit the training table, or a member cannot be loaded.
        """
        decoded = self.schema.decode(self.predictions(self.schema.encode(table)))
        known = METRICS.get(self.metric)
        if known is None or known.domain is None or self.schema.units is None:
            return decoded
        return known.domain.clip(decoded, self.schema.units, decoded)

    def predict_proba(self, table: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, in the order of `Schema.classes`, or of each label being 1.

        Parameters
        ----------
        table
            As for `predict`.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes) or (n_rows, n_labels)

        Raises
        ------
        UserError
            As for `predict`, and if the target has values instead of classes.
        """
        if not self.schema.task_type.is_classification:
            raise UserError("The target is a number, which has no probabilities; predict values instead.")
        return self.predictions(self.schema.encode(table))

    def predictions(self, encoded: Any) -> NDArray[np.float64]:
        """Combined predictions of rows that are encoded already.

        Parameters
        ----------
        encoded : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
            From ``model.schema.encode(table)``.

        Returns
        -------
        ndarray of float, shape (n_rows, n_outputs)
            Probabilities, or standardised values of a numeric target, which `Schema.restore` turns into the units
            of the table.

        Raises
        ------
        UserError
            If a member cannot be loaded.
        """
        first, *others = self.weights
        total = self.combination.contribution(first, self.member_predictions(first, encoded))
        for key in others:
            total += self.combination.contribution(key, self.member_predictions(key, encoded))
        return self.combination.finish(total)

    def member_predictions(self, key: TrialKey, encoded: Any) -> NDArray[np.float32]:
        """Predictions of one member for encoded rows: the mean over its pipelines.

        Rows are predicted in batches, so that what a pipeline makes on the way stays small.

        Parameters
        ----------
        key : TrialKey
        encoded
            As for `predictions`.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_outputs)
        """
        pipelines = self.pipelines(key)
        n_outputs = self.schema.n_outputs
        result = np.empty((encoded.shape[0], n_outputs), dtype=np.float32)
        for start in range(0, encoded.shape[0], _BATCH_ROWS):
            rows = slice(start, start + _BATCH_ROWS)
            batch = encoded.iloc[rows] if hasattr(encoded, "iloc") else encoded[rows]
            parts = [predict(pipeline, batch, self.schema.task_type, n_outputs) for pipeline in pipelines]
            result[rows] = parts[0] if len(parts) == 1 else np.mean(parts, axis=0, dtype=np.float64)
        return result

    def pipelines(self, key: TrialKey) -> list[Any]:
        """The fitted scikit-learn pipelines of one member: one for each fold, or one.

        They take encoded rows, and predict classes as codes and values standardised.

        Raises
        ------
        UserError
            If its file is missing, is not the one that was written, or holds anything that is not trusted.
        """
        # Threads share the dict: no step on it may depend on the one before.
        pipelines = self._loaded.pop(key, None) or self._read(key)
        self._loaded[key] = pipelines
        for oldest in list(self._loaded)[:-1]:
            if self._loaded_size() > self.memory:
                self._loaded.pop(oldest, None)
        return pipelines

    def write_member(self, key: TrialKey, directory: Path) -> MemberFile:
        """Put the pipelines of one member into the directory of another model, for `write_manifest`."""
        file = self.files[key]
        with self._open(key) as source, atomic_write(directory / file.name) as temporary, temporary.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        return file

    def _open(self, key: TrialKey) -> BinaryIO:
        """The file of a member, as it was written."""
        path = self.directory / self.files[key].name
        if path.name not in self.held:
            raise UserError(f"The model file {path} is missing.")
        file = self.held[path.name].open()
        try:
            digest = _sha256(file)
        except OSError as error:
            raise UserError(f"The model file {path} cannot be read ({error.strerror}).") from error
        if digest != self.files[key].sha256:
            raise UserError(f"The model file {path} has been changed since it was written, so it is not loaded.")
        file.seek(0)
        return file

    def _read(self, key: TrialKey) -> list[Any]:
        with self._open(key) as file:
            return load_pipelines(self.directory / self.files[key].name, self.trusted, file=file)

    def _loaded_size(self) -> float:
        return sum(self.held[self.files[key].name].size for key in list(self._loaded)) / 2**20

    def __copy__(self) -> EnsembleModel:
        return replace(self)

    def __deepcopy__(self, memo: Any) -> EnsembleModel:
        return replace(self)

    def __getstate__(self) -> dict[str, Any]:
        contents = {name: file.read() for name, file in self.held.items()}
        return {**self.__dict__, "held": contents, "_loaded": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, held=hold_contents(state["held"]))


def _check_files(combination: MemberCombination, files: Mapping[TrialKey, MemberFile]) -> None:
    for key in combination.weights:
        if files[key].name != f"{key}.skops":
            raise ValueError(f"the file of member {key} must be {key}.skops")


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _release(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
