"""The estimators in a user's script under mpirun."""

import re
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "manual_spawning.py"
COLLECTIVE = Path(__file__).parent / "programs" / "collective_refit.py"


def test_four_searches_and_an_ensemble_of_twenty(launch, tmp_path):
    done = launch(4, "python", EXAMPLE, "24", timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Ranks: 4" in done.stdout
    assert done.stdout.count("held-out quarter") == 1
    accuracy = float(re.search(r"held-out quarter: ([\d.]+)", done.stdout)[1])
    assert accuracy > 0.9


def test_members_are_fitted_on_the_ranks_of_a_communicator(launch, tmp_path):
    done = launch(2, "python", COLLECTIVE, timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "fine: the same on 2 ranks" in done.stdout
