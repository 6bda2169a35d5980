"""Cores for each rank, threads for each evaluation, and the memory that a job may use."""

import time
from pathlib import Path

import pytest

from mpi_automl.machine.cores_and_threads import cores_per_rank, threads_before_mpi, threads_of
from mpi_automl.machine.launcher import ranks_on_node
from mpi_automl.machine.memory import NodeMemory, node_memory
from mpi_automl.parallel.world import RankLocation, World
from mpi_automl.settings import Settings

AUTO = Settings(threads="auto")
EIGHT = frozenset(range(8))


def world_of(*nodes):
    world = World(None, time.time())
    memory = NodeMemory(1000.0, "the node has")
    world.locations = [
        RankLocation("host", 1, frozenset(mask), n, memory) for n, masks in enumerate(nodes) for mask in masks
    ]
    return world


@pytest.mark.parametrize(
    ("masks", "cores"),
    [
        ([EIGHT, EIGHT], 4),
        ([{0, 1}, {2, 3}, {4, 5}], 2),
        ([{0}, {0}, {1, 2, 3}], 0.5),
        ([{0}, EIGHT], 1),
        ([EIGHT] * 16, 0.5),
        ([{0, 1}, {0, 1}, {2, 3}, {2, 3}], 1),
    ],
)
def test_ranks_share_the_cores_that_they_may_use_and_no_others(masks, cores):
    assert cores_per_rank([frozenset(mask) for mask in masks]) == cores


def test_threads_are_one_unless_asked_for():
    assert threads_of(Settings(), 4.0) == threads_before_mpi(Settings()) == 1
    assert threads_of(Settings(threads=6), 4.0) == threads_before_mpi(Settings(threads=6)) == 6
    assert world_of([EIGHT], [EIGHT, EIGHT]).load(6) == 1.5


def test_auto_takes_what_the_poorest_rank_has_and_no_more_than_slurm_gave():
    cores = world_of([EIGHT], [EIGHT, EIGHT]).cores_per_rank
    assert threads_of(AUTO, cores, {}) == 4
    assert threads_of(AUTO, cores, {"SLURM_CPUS_PER_TASK": "3"}) == 3
    assert threads_of(AUTO, cores, {"SLURM_CPUS_PER_TASK": "64"}) == 4
    assert threads_of(AUTO, world_of([EIGHT] * 16).cores_per_rank, {}) == 1


def test_a_node_has_the_ranks_of_all_groups():
    world = world_of([EIGHT], [EIGHT, EIGHT])
    world.neighbours = world.locations[:1]
    assert [node.ranks for node in world.nodes] == [2, 2]


@pytest.mark.parametrize(
    ("environ", "ranks"),
    [
        ({"OMPI_COMM_WORLD_LOCAL_SIZE": "2"}, 2),
        ({"MPI_LOCALNRANKS": "3"}, 3),
        ({"SLURM_STEP_ID": "0", "SLURM_PROCID": "1", "SLURM_STEP_TASKS_PER_NODE": "3,2(x2)"}, 3),
        ({"SLURM_STEP_TASKS_PER_NODE": "4"}, None),
        ({"PMIX_RANK": "0"}, None),
    ],
)
def test_the_launcher_tells_how_many_ranks_are_here(environ, ranks):
    assert ranks_on_node(environ) == ranks


def test_before_mpi_the_variables_tell_how_many_threads_there_may_be(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("mpi_automl.machine.cores_and_threads.usable_cores", lambda: EIGHT)
    assert threads_before_mpi(AUTO, {}) == 8
    assert threads_before_mpi(AUTO, {"OMPI_COMM_WORLD_LOCAL_SIZE": "2"}) == 4
    assert threads_before_mpi(AUTO, {"MPI_LOCALNRANKS": "16"}) == 1
    assert threads_before_mpi(AUTO, {"SLURM_CPUS_PER_TASK": "3"}) == 3
    monkeypatch.setattr("mpi_automl.machine.cores_and_threads.usable_cores", lambda: frozenset({5}))
    assert threads_before_mpi(AUTO, {"OMPI_COMM_WORLD_LOCAL_SIZE": "2"}) == 1


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "the node has"),
        ({"SLURM_MEM_PER_NODE": "100"}, "SLURM_MEM_PER_NODE allows 100 MiB"),
        ({"SLURM_MEM_PER_CPU": "30", "SLURM_CPUS_ON_NODE": "4"}, "SLURM_MEM_PER_CPU allows 120 MiB"),
        ({"SLURM_MEM_PER_NODE": "0"}, "the node has"),
    ],
)
def test_memory_that_slurm_gives(environ, expected, tmp_path):
    assert node_memory(environ, tmp_path / "none", tmp_path).describe().startswith(expected)


@pytest.mark.parametrize(
    ("membership", "file"),
    [
        ("0::/slurm/job_7/step_0\n", "slurm/job_7/memory.max"),
        ("5:cpu:/\n4:memory:/slurm/job_7\n0::/\n", "memory/slurm/job_7/memory.limit_in_bytes"),
        ("0::/of/the/host\n", "memory.max"),
    ],
)
def test_memory_that_control_groups_allow(membership, file, tmp_path):
    (tmp_path / "membership").write_text(membership)
    limit = tmp_path / "groups" / file
    limit.parent.mkdir(parents=True)
    limit.write_text(f"{64 * 2**20}\n")
    for unlimited in ("max", str(2**63 - 4096)):
        (tmp_path / "groups" / "slurm" / "job_7" / "step_0").mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / "slurm" / "job_7" / "step_0" / "memory.max").write_text(unlimited)
        found = node_memory({}, tmp_path / "membership", tmp_path / "groups")
        assert found.describe() == "the control group allows 64 MiB"


def test_memory_of_this_node_is_what_the_kernel_says():
    total = int(Path("/proc/meminfo").read_text().split()[1]) / 1024
    assert 0 < node_memory({}).mebibytes <= total + 1


def test_a_slurm_job_takes_its_threads_from_slurm(slurm, tmp_path):
    """Nothing binds the rank, so by its affinity mask alone it would take all cores of this host."""
    command = f"python -m mpi_automl doctor --threads auto --directory {tmp_path}"
    words = ("--ntasks=1", "--cpus-per-task=1", f"--output={tmp_path}/out")
    job = slurm.submit(*words, f"--wrap=mpirun --bind-to none -n 1 {command}")
    assert slurm.wait(job)["JobState"] == "COMPLETED", (tmp_path / "out").read_text()
    text = " ".join((tmp_path / "out").read_text().split())
    assert "SLURM_CPUS_PER_TASK=1" in text
    assert "with --threads 1" in text
