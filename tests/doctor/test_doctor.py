"""What doctor says of bindings and of the store; tests of the verb itself are in test_verbs."""

import re
import time

import pytest

from mpi_automl.doctor.hdf5 import check_store
from mpi_automl.doctor.machine import check_binding
from mpi_automl.doctor.result import OK, WARNING, WRONG
from mpi_automl.doctor.store_check import try_store
from mpi_automl.machine.memory import NodeMemory
from mpi_automl.parallel.world import RankLocation, World


def world_of(*masks):
    world = World(None, time.time())
    world.locations = [RankLocation("host", 1, frozenset(mask), 0, NodeMemory(1000, "the node has")) for mask in masks]
    return world


@pytest.mark.parametrize(
    ("masks", "level"),
    [
        ([{0, 1}, {0, 1}], OK),
        ([{0}, {1}], OK),
        ([{0, 1}, {2, 3}, {2, 3}], WARNING),
        ([{0}, {0}], WARNING),
    ],
)
def test_ranks_bound_to_the_same_cores_are_found(masks, level):
    assert check_binding(world_of(*masks)).level == level


def test_a_store_is_tried_and_nothing_stays(tmp_path):
    found = try_store(World(None, time.time()), tmp_path)
    assert (found.problem, list(tmp_path.iterdir())) == ("", [])
    assert "one file per rank" in found.layout
    assert check_store(found).level == OK


def test_a_directory_that_is_not_there_is_named(tmp_path):
    found = try_store(World(None, time.time()), tmp_path / "nowhere")
    assert "nowhere" in found.problem
    assert check_store(found).level == WRONG


def test_two_ranks_try_the_store_under_every_mpi(launch, tmp_path, mpis):
    words = ["python", "-m", "mpi_automl", "doctor", "--threads", "auto", "--directory", tmp_path]
    # Some export this for their login nodes; a job must begin and end MPI all the same.
    done = launch(2, *words, mpi=mpis, env={"MPI4PY_RC_INITIALIZE": "0"}, timeout=60)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "records were written and read" in text
    assert "binding" in text
    assert re.search(r"busy threads per core with --threads \d", text)
    assert not list(tmp_path.iterdir())
