"""Creates the store of a leg: one shared file, or one file per rank and a master that shows the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mpi_automl.errors import JobError, UserError
from mpi_automl.storage import schema
from mpi_automl.storage.choice import LayoutChoice, StoreOptions, choose, file_system_of, wanted_layout
from mpi_automl.storage.create import (
    FileContents,
    Header,
    finish,
    header,
    lay_out,
    shared_arrays,
    unfinished,
    write_master,
    write_shared,
)
from mpi_automl.storage.flusher import Flusher
from mpi_automl.storage.hdf5 import access, is_parallel, loaded_mpi_libraries
from mpi_automl.storage.writer import WRITE_ERRORS, Store, StorePlace, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mpi_automl.storage.sizes import StoreLayout
    from mpi_automl.storage.store_world import StoreWorld

__all__ = ["Store", "create_store"]

T = TypeVar("T")


def create_store(
    directory: Path | str,
    leg: int,
    layout: StoreLayout,
    metadata: Mapping[str, Any] | None,
    world: StoreWorld,
    options: StoreOptions = StoreOptions(),  # noqa: B008  # frozen
) -> Store:
    """Collective. Lay out the store of a new leg.

    Parameters
    ----------
    directory : Path or str
        The run directory, seen by all ranks.
    leg : int
    layout : StoreLayout
    metadata : mapping or None
        What the file says about the whole leg; only the root rank's counts. It must have ``truth``
        (target of the validation rows, in the order of the predictions), ``validation_rows`` (their
        row numbers in the table) and ``space`` (text of the configuration space); it may have
        ``test_truth``, ``extra_metrics`` (names, in the order of a record's scores), ``task_type``,
        ``metric``, ``space_digest``, ``table_digest``, and anything else that JSON can hold.
    world : StoreWorld
        The ranks that write the leg.
    options : StoreOptions

    Raises
    ------
    UserError
        On every rank, if the leg exists already, the directory cannot be written, or a shared file
        is demanded where there can be none.
    JobError
        On a rank that cannot write its part of a shared file.
    """
    place = StorePlace(Path(directory), leg, world.rank)
    facts = world.gather((is_parallel(), loaded_mpi_libraries()))
    choice, head = world.on_root(lambda: _checked(lambda: _prepare(place, layout, metadata, options, facts)))
    contents = FileContents.whole("shared" if choice.shared else "master", leg, layout)
    make = _shared_file if choice.shared else _rank_file
    file = make(place, contents, head, metadata, world, options)
    flusher = Flusher(options.flush)
    main = schema.main_file(place.directory, leg)
    flusher.add(main if choice.shared else schema.rank_file(place.directory, leg, world.rank))
    return Store(place, contents, head, choice, file, flusher)


def _prepare(
    place: StorePlace,
    layout: StoreLayout,
    metadata: Mapping[str, Any] | None,
    options: StoreOptions,
    facts: list[tuple[bool, frozenset[str]]],
) -> tuple[LayoutChoice, Header]:
    if metadata is None:
        raise ValueError("the root rank must give the metadata")
    store = schema.store_directory(place.directory)
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The directory {store} cannot be made ({error.strerror}); choose another with --out."
        ) from None
    if schema.main_file(place.directory, place.leg).exists():
        raise UserError(f"Leg {place.leg} is already in {store}; a restart needs the number of a new leg.")
    parallel, libraries = all(fact[0] for fact in facts), max((fact[1] for fact in facts), key=len)
    kind = file_system_of(store)
    wanted = wanted_layout(options)
    choice = choose(wanted, ranks=layout.ranks, parallel_hdf5=parallel, mpi_libraries=libraries, file_system=kind)
    return choice, header(metadata)


def _shared_file(
    place: StorePlace,
    contents: FileContents,
    head: Header,
    metadata: Mapping[str, Any] | None,
    world: StoreWorld,
    options: StoreOptions,
) -> Any:
    path = schema.main_file(place.directory, place.leg)
    properties = access(world.comm, options.hints, options.alignment)
    try:
        file = lay_out(unfinished(path), contents, head, with_shared=True, properties=properties)
        if metadata is not None and place.rank == 0:
            write_shared(file, metadata)
    except WRITE_ERRORS as error:
        # Nobody may wait for a rank that fails here: HDF5 closes a shared file together, and cannot close this one.
        raise JobError(_cannot_be_made(error)) from error
    world.wait()
    world.on_root(lambda: _checked(lambda: finish(path)))
    return file


def _rank_file(
    place: StorePlace,
    contents: FileContents,
    head: Header,
    metadata: Mapping[str, Any] | None,
    world: StoreWorld,
    options: StoreOptions,
) -> Any:
    def create() -> Any:
        path = schema.rank_file(place.directory, place.leg, place.rank)
        is_root = place.rank == 0
        properties = access(alignment=options.alignment)
        own = contents.of_rank(place.rank)
        file = lay_out(unfinished(path), own, head, with_shared=is_root, properties=properties)
        if metadata is not None and is_root:
            write_shared(file, metadata)
        finish(path)
        return file

    file = world.together(lambda: _checked(create))

    def create_master() -> None:
        path = schema.main_file(place.directory, place.leg)
        sources = [schema.rank_file(place.directory, place.leg, rank) for rank in range(contents.layout.ranks)]
        if metadata is not None:
            write_master(unfinished(path), contents, head, shared_arrays(metadata), sources)
        finish(path)

    world.on_root(lambda: _checked(create_master))
    return file


def _checked(action: Callable[[], T]) -> T:
    """Run an action; a write that fails becomes a `UserError`, on which ranks agree."""
    try:
        return action()
    except WRITE_ERRORS as error:
        raise UserError(_cannot_be_made(error)) from error


def _cannot_be_made(error: BaseException) -> str:
    return f"The store cannot be made ({one_line(error)}); see to the disk, which may be full, or use another --out."
