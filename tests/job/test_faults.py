"""Faults in real jobs at random moments: nothing that was committed is lost, and the run goes on with other ranks."""

from __future__ import annotations

import random
from contextlib import nullcontext

import pytest
from job_faults import FULL_FOR_A_WHILE, Fault, StruckRun, can_mount, small_disk
from sklearn.datasets import load_breast_cancer
from store_killing import layouts

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory

pytestmark = pytest.mark.alone

FAULTS = {
    "debian": ("one rank", "trial server", "USR1 to a rank", "TERM to mpirun"),
    "openmpi5": ("USR1 to a rank", "trial's child", "mpirun", "TERM to a rank"),
    "mpich": ("all ranks", FULL_FOR_A_WHILE, "USR1 to a rank", "one rank"),
}
"""Four for each MPI; the campaign in tests/campaigns/faults.py draws them."""

RANKS = (3, 2, 2, 1)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mpi", FAULTS)
def test_nothing_is_lost_and_the_run_goes_on(launch, tmp_path, mpi):
    rng, table = random.Random(), tmp_path / "table.csv"
    load_breast_cancer(as_frame=True).data.to_csv(table, index=False)
    disk = small_disk(tmp_path / "disk") if can_mount() else nullcontext(tmp_path)
    with disk as place:
        run = StruckRun(launch, place, mpi, rng)
        for number, (victim, ranks) in enumerate(zip(FAULTS[mpi], RANKS, strict=True)):
            victim = "one rank" if victim == FULL_FOR_A_WHILE and not can_mount() else victim
            layout = layouts()[number % len(layouts())] if mpi == "debian" and ranks > 1 else "per-rank"
            # A run that is asked to stop before any trial has ended can go on too.
            delay = 0.0 if number == 0 and victim.startswith("USR1") else rng.uniform(1, 4)
            fault = Fault(victim, delay, ranks, layout)
            found = run.strike(fault)
            print(fault, found)
            assert (found.lost, found.problems) == (0, ())
            assert found.searched_on < 2
        assert run.use(table) == []
        found = run.finish(2)
        assert (found.lost, found.problems) == (0, ())
        assert found.committed > 2
        assert not RunDirectory(run.directory).read_ensemble()["is_dummy"]
        reader = RunReader(run.directory)
        assert {key.rank for key in reader.keys if key.leg == reader.legs[-1].leg} == {0, 1}
        trials = reader.trials()
        # One whose trial server was killed is evaluated again.
        assert ((trials["origin"] == "dummy") & (trials["status"] == "success")).sum() == 1
