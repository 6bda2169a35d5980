"""One object, made on rank 0, laid once per node where all of the node's ranks can map it."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mpi_automl.data.shared import pack, write_packed
from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World

# MPI counts are C integers: a message of 2 GiB or more cannot be sent.
_PIECE = 2**30
# Left free for others on the same file system.
_MARGIN = 64 * 2**20


class NodeFile:
    """A node's copy of the object.

    The file has no name any more, so it goes with the last process that holds it, however that ends. This process
    holds it as long as the object lives: a process may run one job after the other.

    Attributes
    ----------
    path : Path
        Where this process and its children can open it.
    nbytes : int
        Its size.
    """

    def __init__(self, descriptor: int) -> None:
        self.path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        self.nbytes = os.fstat(descriptor).st_size
        self.close = weakref.finalize(self, os.close, descriptor)


def share_on_nodes(world: World, make: Callable[[], Any], scratch: str | None) -> NodeFile:
    """Collective. Make an object on rank 0 and lay it once on every node.

    Parameters
    ----------
    world : World
    make : callable
        Called on rank 0 only. Large arrays in its value travel and lie as they are.
    scratch : str or None
        Directory for the copy; None takes /dev/shm or the temporary directory, whichever has room.

    Raises
    ------
    UserError
        When `make` raises it, or a node has no room.
    """
    packed: list[memoryview] = []

    def pack_on_root() -> tuple[bytes, list[int]]:
        header, buffers = pack(make())
        packed.extend(memoryview(buffer).cast("B") for buffer in buffers)
        return header, [buffer.nbytes for buffer in packed]

    header, sizes = world.on_root(pack_on_root)
    if world.comm is None or world.node_comm is None:
        return NodeFile(_lay(header, packed, scratch))
    return _spread(world, header, sizes, packed, scratch)


def _spread(world: World, header: bytes, sizes: list[int], packed: list[memoryview], scratch: str | None) -> NodeFile:
    from mpi4py import MPI

    assert world.comm is not None
    assert world.node_comm is not None
    is_leader = world.node_comm.rank == 0
    leaders = world.comm.Split(0 if is_leader else MPI.UNDEFINED, key=world.rank)
    if is_leader:
        for size in sizes[len(packed) :]:
            packed.append(memoryview(bytearray(size)))
        for buffer in packed:
            for start in range(0, buffer.nbytes, _PIECE):
                leaders.Bcast([buffer[start : start + _PIECE], MPI.BYTE], root=0)
        leaders.Free()
    descriptor = world.together(lambda: _lay(header, packed, scratch) if is_leader else None)
    leader_path = world.node_comm.bcast(f"/proc/{os.getpid()}/fd/{descriptor}", root=0)
    if descriptor is None:
        descriptor = _open_if_allowed(leader_path)
    world.wait()
    if None in world.comm.allgather(descriptor):
        descriptor = _open_by_name(world, (lambda: _write(header, packed, scratch)) if is_leader else None)
    assert descriptor is not None
    return NodeFile(descriptor)


def _open_if_allowed(path: str) -> int | None:
    """A descriptor, or None where ranks may not look into each other, such as in containers without setuid."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return None


def _open_by_name(world: World, write: Callable[[], Path] | None) -> int:
    """Collective. Have the leaders write the object again, to a file that keeps its name until all have opened it."""
    assert world.node_comm is not None
    path: Path | None = None
    try:
        path = world.together(lambda: None if write is None else write())
        shared = world.node_comm.bcast(path, root=0)
        assert shared is not None
        return world.together(lambda: _open_shared(shared))
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _open_shared(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(
            f"{path}, the node's copy of the table, cannot be opened by all ranks of the node ({error.strerror}); "
            "choose a directory that their containers share with --scratch."
        ) from None


def _lay(header: bytes, buffers: Sequence[memoryview], scratch: str | None) -> int:
    """Write the object to a file without a name, and give its descriptor."""
    path = _write(header, buffers, scratch)
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        path.unlink(missing_ok=True)


def _write(header: bytes, buffers: Sequence[memoryview], scratch: str | None) -> Path:
    """Write the object to a file."""
    size = len(header) + sum(buffer.nbytes for buffer in buffers)
    directory = _with_room(scratch, size)
    path = directory / f"mpi_automl-{secrets.token_hex(8)}"
    try:
        write_packed(path, header, buffers)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UserError(f"The table cannot be laid in {directory} ({error.strerror}); choose --scratch.") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _with_room(scratch: str | None, size: int) -> Path:
    wanted = [Path(scratch)] if scratch else [Path("/dev/shm"), Path(tempfile.gettempdir())]  # noqa: S108
    for directory in wanted:
        if directory.is_dir() and os.access(directory, os.W_OK) and shutil.disk_usage(directory).free > size + _MARGIN:
            return directory
    places = " nor ".join(str(directory) for directory in wanted)
    raise UserError(
        f"Neither {places} has room for the {size / 2**20:.0f} MiB of the table; choose --scratch."
        if len(wanted) > 1
        else f"{places} has no room for the {size / 2**20:.0f} MiB of the table; choose another --scratch."
    )
