"""Ensemble selection with candidates dealt over ranks, under a real launcher."""

from pathlib import Path

PROGRAM = Path(__file__).parent / "programs" / "dealt_selection.py"
SUPPORT = Path(__file__).parents[1] / "support"


def test_dealt_candidates_give_the_ensemble_of_one_process(launch, mpis):
    done = launch(3, "python", PROGRAM, SUPPORT, mpi=mpis, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fine: 3 ranks" in done.stdout
