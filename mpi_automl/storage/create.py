"""Lays out the files of a leg in full, so that afterwards only raw data has to be written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.atomic_write import sync_directory
from mpi_automl.storage import schema
from mpi_automl.storage.hdf5 import contiguous, h5py
from mpi_automl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mpi_automl.storage.sizes import StoreLayout


@dataclass(frozen=True)
class FileContents:
    """What one file holds: some ranks, and for each of them trials from a number on.

    Attributes
    ----------
    kind : str
        ``shared``, ``rank``, ``overflow`` or ``master``.
    leg : int
    first_rank : int
        The layout's ranks count from this one.
    first_number : int
        The layout's trials count from this number.
    layout : StoreLayout
        Sizes of this file.
    """

    kind: str
    leg: int
    first_rank: int
    first_number: int
    layout: StoreLayout

    @classmethod
    def whole(cls, kind: str, leg: int, layout: StoreLayout) -> FileContents:
        """All ranks of a leg."""
        return cls(kind, leg, 0, 0, layout)

    def of_rank(self, rank: int) -> FileContents:
        """One rank of a leg, in a file of its own."""
        return FileContents("rank", self.leg, rank, 0, replace(self.layout, ranks=1))

    def overflow(self, rank: int, index: int) -> FileContents:
        """One rank's trials beyond its room; records only, as predictions stay where they have their slots."""
        layout = replace(self.layout, ranks=1, n_validation=0, n_test=0)
        return FileContents("overflow", self.leg, rank, index * layout.trials_per_rank, layout)

    @property
    def attributes(self) -> dict[str, Any]:
        """What the file says about itself."""
        return {
            "kind": self.kind,
            "leg": self.leg,
            "ranks": self.layout.ranks,
            "first_rank": self.first_rank,
            "first_number": self.first_number,
            "predictions_per_rank": self.layout.predictions_per_rank,
        }


@dataclass(frozen=True)
class Header:
    """What all files of a leg say in the same way, small enough to be broadcast.

    Attributes
    ----------
    attributes : dict
        Of the root group.
    arrays : dict of str to (shape, dtype text)
        Datasets that belong to the whole leg.
    score_names : tuple of str
        Further metrics, in the order of a record's ``scores``.
    """

    attributes: dict[str, Any]
    arrays: dict[str, tuple[tuple[int, ...], str]]
    score_names: tuple[str, ...]


def slab_shapes(layout: StoreLayout) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of every dataset that has a part for each rank."""
    trials, slots = (layout.ranks, layout.trials_per_rank), (layout.ranks, layout.slots)
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {
        schema.RECORDS: (trials, schema.record_dtype(layout.n_scores)),
        schema.VECTORS: ((*trials, layout.n_hyperparameters), np.dtype("<f8")),
    }
    if layout.n_validation:
        shapes[schema.PREDICTIONS] = ((*slots, layout.n_validation, layout.n_outputs), np.dtype(layout.dtype))
    if layout.n_test:
        shapes[schema.TEST_PREDICTIONS] = ((*slots, layout.n_test, layout.n_outputs), np.dtype(layout.dtype))
    return shapes


def shared_arrays(metadata: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The datasets that belong to the whole leg: arrays, and texts as one string of bytes each."""
    arrays = {
        schema.TRUTH: np.asarray(metadata[schema.TRUTH]),
        schema.VALIDATION_ROWS: np.asarray(metadata[schema.VALIDATION_ROWS], np.int64),
        schema.SPACE: np.array(metadata[schema.SPACE].encode("utf-8") or b" "),
    }
    if metadata.get(schema.TEST_TRUTH) is not None:
        arrays[schema.TEST_TRUTH] = np.asarray(metadata[schema.TEST_TRUTH])
    others = {name: value for name, value in metadata.items() if name not in schema.SHARED}
    arrays[schema.METADATA] = np.array(json.dumps(others, default=str).encode("utf-8"))
    return arrays


def header(metadata: Mapping[str, Any]) -> Header:
    """What the root rank tells the others before the files are laid out."""
    names = tuple(metadata.get("extra_metrics", ()))
    attributes = {
        "format": schema.FORMAT,
        "format_version": schema.VERSION,
        "mpi_automl_version": __version__,
        "created": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        "extra_metrics": ",".join(names),
        **{name: str(metadata.get(name, "")) for name in schema.IDENTITY},
    }
    arrays = {name: (array.shape, array.dtype.str) for name, array in shared_arrays(metadata).items()}
    return Header(attributes, arrays, names)


def _write_attributes(file: Any, contents: FileContents, head: Header) -> None:
    for name, value in {**head.attributes, **contents.attributes}.items():
        # Parallel HDF5 cannot write texts of variable length.
        file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value


def lay_out(path: Path, contents: FileContents, head: Header, *, with_shared: bool, properties: Any) -> Any:
    """Create a file with everything in it, and flush it.

    Collective when the access properties have a communicator: all ranks make the same calls in the
    same order, as HDF5 demands for metadata, and nothing that changes metadata happens after it.

    Parameters
    ----------
    path : Path
    contents : FileContents
    head : Header
    with_shared : bool
        Whether the file also has the datasets that belong to the whole leg.
    properties : h5py.h5p.PropFAID
        From `hdf5.access`.

    Returns
    -------
    h5py.File
        Open for writing.
    """
    file = h5py.File(h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, fapl=properties))
    for name, (shape, dtype) in slab_shapes(contents.layout).items():
        contiguous(file, name, shape, dtype)
    for name, (shape, text) in head.arrays.items() if with_shared else ():
        contiguous(file, name, shape, np.dtype(text))
    _write_attributes(file, contents, head)
    file.flush()
    return file


def write_shared(file: Any, metadata: Mapping[str, Any]) -> None:
    """Write the datasets that belong to the whole leg; independent, for the root rank."""
    for name, array in shared_arrays(metadata).items():
        if array.size:
            file[name][...] = array


def write_master(
    path: Path, contents: FileContents, head: Header, shared: Mapping[str, NDArray[Any]], sources: list[Path]
) -> None:
    """Write the master: virtual datasets over the files of all ranks, in the schema of a shared file.

    Parameters
    ----------
    path : Path
    contents : FileContents
        The whole leg.
    head : Header
    shared : mapping of str to ndarray
        Datasets that belong to the whole leg.
    sources : list of Path
        One file for each rank, in the directory of the master.
    """
    with h5py.File(path, "w") as file:
        for name, (shape, dtype) in slab_shapes(contents.layout).items():
            virtual = h5py.VirtualLayout(shape=shape, dtype=dtype)
            for rank, source in enumerate(sources):
                virtual[rank] = h5py.VirtualSource(source.name, name, shape=(1, *shape[1:]), dtype=dtype)[0]
            file.create_virtual_dataset(name, virtual)
        for name, array in shared.items():
            file.create_dataset(name, data=array)
        _write_attributes(file, contents, head)


def unfinished(path: Path) -> Path:
    """Name of a file while it is being laid out."""
    return path.with_name(path.name + schema.UNFINISHED_SUFFIX)


def finish(path: Path) -> None:
    """Give a file that was laid out its name: only complete files are found under it."""
    unfinished(path).replace(path)
    sync_directory(path.parent)
