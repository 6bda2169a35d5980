"""Exchange at fixed counts under real launchers."""

from pathlib import Path

PROGRAM = Path(__file__).parent / "programs" / "rounds.py"


def test_what_a_rank_knows_depends_on_counts_alone_on_every_mpi(launch, mpis):
    done = launch(3, "python", PROGRAM, "3", mpi=mpis, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fine: 3 ranks" in done.stdout


def test_one_process_without_mpi_makes_rounds_too(launch):
    done = launch(None, "python", PROGRAM, "1", timeout=60)
    assert done.returncode == 0, done.stderr
