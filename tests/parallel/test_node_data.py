"""One copy of the data on a node, which all its ranks can open."""

import subprocess
from pathlib import Path

import pytest
from launching import default_mpi, require_environment

PROGRAM = Path(__file__).parent / "programs" / "node_copy.py"
CONTAINER = ("unshare", "--user", "--map-root-user")


@pytest.mark.parametrize("around", [(), CONTAINER], ids=["plain", "a user namespace for each rank"])
def test_every_rank_reads_the_copy_and_no_file_is_left(launch, tmp_path, around):
    if around and subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this host does not allow user namespaces")
    # Containers cannot read each other's memory: their users set this, as the guide says.
    env = {"OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
    done = launch(3, *around, require_environment(default_mpi()).python, PROGRAM, tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"rank {rank} of 3: 4999950000" for rank in range(3)]
    assert not list(tmp_path.iterdir())
