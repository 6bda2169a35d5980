"""What the environment says about the launcher."""

import pytest

from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import Launch, check_world, detect_launch


@pytest.mark.parametrize(
    ("environ", "launcher", "size", "rank"),
    [
        ({}, "", None, None),
        ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"}, "Open MPI's mpirun", 4, 3),
        ({"PMI_SIZE": "8", "PMI_RANK": "0"}, "MPICH's or Intel MPI's mpirun", 8, 0),
        ({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "16", "SLURM_PROCID": "0"}, "", None, None),
        ({"SLURM_STEP_ID": "0", "SLURM_NTASKS": "16", "SLURM_PROCID": "5"}, "srun", 16, 5),
        ({"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "16", "SLURM_PROCID": "1"}, "srun", 4, 1),
        ({"PMIX_RANK": "2", "PMIX_NAMESPACE": "x"}, "a PMIx or PMI launcher", None, 2),
    ],
)
def test_the_launcher_is_recognised(environ, launcher, size, rank):
    assert detect_launch(environ) == Launch(launcher, size, rank)


def test_mpirun_inside_slurm_counts_more_than_slurms_own_variables():
    environ = {"SLURM_STEP_ID": "0", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}
    environ |= {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"}
    assert detect_launch(environ) == Launch("Open MPI's mpirun", 4, 2)


def test_n_times_rank_0_of_1_is_refused_with_the_remedy():
    with pytest.raises(UserError, match=r"srun started 4 ranks.*sees 1.*--mpi=pmix"):
        check_world(Launch("srun", 4, 0), 1, "Open MPI 4.1.4")


def test_a_world_as_large_as_promised_is_fine():
    check_world(Launch("srun", 4, 0), 4, "Open MPI 4.1.4")
    check_world(Launch("a PMIx or PMI launcher", None, 0), 1, "Open MPI 4.1.4")
