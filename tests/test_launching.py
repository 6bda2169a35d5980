"""The launcher of the tests itself, and what tests/run.sh installed: everything else rests on them."""

import os

import pytest

SIZE = "import sys; from mpi4py import MPI; c = MPI.COMM_WORLD; sys.stdout.write(f'{c.rank} of {c.size}\\n')"
HDF5 = "import sys, h5py; sys.stdout.write(str(h5py.get_config().mpi))"


def test_every_mpi_starts_as_many_ranks_as_asked(launch, mpis):
    done = launch(3, "python", "-c", SIZE, mpi=mpis)
    assert done.returncode == 0
    assert sorted(done.stdout.split()) == ["0", "1", "2", "3", "3", "3", "of", "of", "of"]
    assert done.survivors == ()


def test_a_job_that_hangs_is_killed_with_all_its_ranks(launch):
    hang = "import subprocess, sys; subprocess.run(['sleep', '600'], start_new_session=True)"
    with launch.start(2, "python", "-c", hang) as job:
        with pytest.raises(pytest.fail.Exception, match="still running after 2 s"):
            job.wait(2)
        assert job.processes() == {}


def test_a_process_that_outlives_its_job_is_found_and_killed(launch):
    leave = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"
    with launch.start(None, "python", "-c", leave) as job:
        assert job.wait(20).survivors == ("sleep 600",)
        assert job.processes() == {}


def test_a_command_without_launcher_is_one_process(launch):
    done = launch(None, "python", "-c", "import sys; print(len(sys.argv)); sys.exit(3)")
    assert (done.returncode, done.stdout) == (3, "1\n")


@pytest.mark.skipif(
    "parallel-hdf5" not in os.environ.get("MPI_AUTOML_TEST_REQUIRED", ""), reason="parallel HDF5 is not installed"
)
def test_both_kinds_of_hdf5_are_tested(launch):
    assert launch(None, "python", "-c", HDF5, mpi="debian").stdout == "True"
    assert launch(None, "python", "-c", HDF5, mpi="mpich").stdout == "False"
