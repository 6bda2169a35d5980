"""The private Slurm of the tests: jobs run on two nodes, and nothing of it stays."""

from pathlib import Path

import pytest
from private_slurm import private_slurm

WHERE = (
    "import os, sys; from mpi4py import MPI; c = MPI.COMM_WORLD;"
    "sys.stdout.write(f'{c.rank}/{c.size}/{os.uname().nodename} ')"
)


@pytest.mark.parametrize("launcher", ["mpirun --bind-to none", "srun --mpi=pmix"])
def test_ranks_run_on_both_nodes(slurm, tmp_path, launcher):
    script = tmp_path / "job.sh"
    script.write_text(f'#!/bin/bash\n{launcher} python -c "{WHERE}"\n')
    job = slurm.submit("--nodes=2", "--ntasks-per-node=2", f"--output={tmp_path}/out", script)
    assert slurm.wait(job)["JobState"] == "COMPLETED"
    assert sorted((tmp_path / "out").read_text().split()) == ["0/4/n1", "1/4/n1", "2/4/n2", "3/4/n2"]


def test_a_job_that_fails_says_so(slurm, tmp_path):
    job = slurm.wait(slurm.submit(f"--output={tmp_path}/out", "--wrap=exit 7"))
    assert (job["JobState"], job["ExitCode"]) == ("FAILED", "7:0")


def test_nothing_is_left_of_a_stopped_slurm(slurm):
    with private_slurm() as second:
        second.submit("--output=/dev/null", "--wrap=sleep 600")
        directory = second.directory
    environments = (
        Path("/proc", pid, "environ") for pid in (entry.name for entry in Path("/proc").iterdir()) if pid.isdigit()
    )
    assert not [e for e in environments if str(directory).encode() in _read(e)]
    assert not directory.exists()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
