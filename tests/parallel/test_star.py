"""World, node file and star of messages under real launchers."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_every_rank_hears_what_it_should(launch, ranks):
    done = launch(ranks, "python", PROGRAMS / "star.py", str(ranks), timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"fine: {ranks} rank" in done.stdout
    assert not done.survivors


def test_every_mpi_carries_the_star(launch, mpis):
    done = launch(4, "python", PROGRAMS / "star.py", "4", mpi=mpis, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fine: 4 ranks" in done.stdout


@pytest.mark.parametrize("rank", [0, 2])
def test_a_rank_that_raises_ends_the_job_with_its_traceback(launch, mpis, rank):
    done = launch(3, "python", PROGRAMS / "failing_rank.py", str(rank), mpi=mpis, timeout=30)
    assert done.returncode != 0
    assert f"Rank {rank} on " in done.stderr
    assert "ZeroDivisionError: planted on purpose" in done.stderr
    assert done.seconds < 15
    assert not done.survivors


def test_an_incumbent_found_on_rank_3_changes_what_rank_1_proposes(launch):
    done = launch(4, "python", PROGRAMS / "planted_incumbent.py", timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fine: received after" in done.stdout
