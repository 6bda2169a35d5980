"""How much of a disk a run may use, and uses."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.machine.file_size import check_limit

if TYPE_CHECKING:
    from mpi_automl.storage.sizes import StoreLayout

_MIB = 2**20
# The other half is for the fitted models.
_STORE_SHARE = 0.5


@dataclass(frozen=True)
class DiskPlan:
    """A disk limit, dealt out.

    Attributes
    ----------
    layout : StoreLayout
        With as many predictions per rank as fit.
    models_per_rank : float
        MiB for the fitted models of one rank; infinite without a limit.
    """

    layout: StoreLayout
    models_per_rank: float


def deal_out(layout: StoreLayout, limit: float | None, taken: float = 0.0) -> DiskPlan:
    """Divide the limit of a run directory between the store and the models.

    The store gets what it needs, but no more than half; the models get the rest, an equal part for each rank.

    Parameters
    ----------
    layout : StoreLayout
        As it would be without a limit.
    limit : float or None
        MiB for the whole run directory.
    taken : float
        MiB that earlier legs take up.

    Raises
    ------
    UserError
        If the records and one prediction per rank do not fit.
    """
    if limit is None:
        return DiskPlan(layout, float("inf"))
    left = max(0.0, limit - taken)
    if layout.nbytes > _STORE_SHARE * left * _MIB:
        layout = layout.within(_STORE_SHARE * left)
    return DiskPlan(layout, (left - layout.nbytes / _MIB) / layout.ranks)


def used(directory: Path) -> float:
    """MiB that a directory takes on disk, with everything below it.

    Holes in files take nothing, and a file with several names counts once.
    """
    blocks: dict[tuple[int, int], int] = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                facts = (Path(parent) / name).lstat()
            except FileNotFoundError:
                continue
            blocks[facts.st_dev, facts.st_ino] = facts.st_blocks
    return sum(blocks.values()) * 512 / _MIB


def check_room(directory: Path, layout: StoreLayout) -> str:
    """Compare the room on the file system with what a store may come to need.

    Returns
    -------
    str
        A warning in one sentence; empty when there is room.

    Raises
    ------
    UserError
        If not even one prediction per rank fits, or a file may not grow to the size of the store.
    """
    check_limit(layout.nbytes / layout.ranks, "the store of the trials")
    free = shutil.disk_usage(directory).free / _MIB
    least = layout.ranks * 2 * (layout.record_nbytes + layout.prediction_nbytes) / _MIB
    if free < least:
        raise UserError(f"{directory} has {free:,.0f} MiB free and {least:,.0f} MiB are needed to begin; make room.")
    full = layout.nbytes / _MIB
    if free < full:
        return f"{directory} has {free:,.0f} MiB free; the store may come to need {full:,.0f} MiB."
    return ""
