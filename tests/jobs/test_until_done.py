"""When a run that spans several jobs is queued again, with commands that only pretend in place of Slurm's."""

import json
import os
import subprocess

import pytest
from launching import CHECKOUT

SCRIPT = CHECKOUT / "jobs" / "slurm" / "until_done.sbatch"
AGAIN = "+ scontrol requeue 17\n"
COMMANDS = {
    "mpi-automl": 'if [ "$1" = fit ]; then exit "$STATUS"; else cat "$FACTS"; fi',
    "scontrol": ":",
    "squeue": 'echo "$STATE"',
    "sleep": ":",
}


@pytest.fixture
def end_leg(tmp_path):
    """Run the script with a leg that ends with a status when the run has some trials; gives what it printed."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "run").mkdir()
    for name, body in COMMANDS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def end(leg, status, state="RUNNING", **trials):
        facts = tmp_path / "facts.json"
        facts.write_text(json.dumps({"state": "running", "trials": trials, "quarantined": 0}, indent=2))
        variables = {
            "PATH": f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}",
            "SLURM_JOB_ID": "17",
            "SLURM_JOB_NODELIST": "n1",
            "SLURM_NTASKS": "1",
            "SLURM_RESTART_COUNT": str(leg - 1),
            "LAUNCHER": "env",
            "OUT": str(tmp_path / "run"),
            "STATUS": str(status),
            "STATE": state,
            "FACTS": str(facts),
        }
        done = subprocess.run(["bash", SCRIPT], env=variables, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout

    return end


def test_legs_whose_ranks_died_go_on_while_there_are_new_trials(end_leg):
    for leg in range(1, 6):
        assert AGAIN in end_leg(leg, 137, success=3 * leg, crashed=1)


def test_three_deaths_without_a_new_trial_are_the_end(end_leg):
    said = [end_leg(leg, 137, success=4) for leg in (1, 2, 3)]
    assert [AGAIN in text for text in said] == [True, True, False]
    assert "Another leg would not help: ranks died, and no trial has ended since." in said[2]
    # Submitted anew, it has its three tries again.
    assert AGAIN in end_leg(1, 137, success=4)


def test_a_run_without_any_trial_is_not_worth_another_leg(end_leg):
    assert AGAIN not in end_leg(1, 1)


@pytest.mark.parametrize(("status", "again"), [(0, False), (2, False), (75, True)])
def test_ends_that_are_no_deaths(end_leg, status, again):
    assert (AGAIN in end_leg(1, status, success=4)) is again


def test_a_cancelled_job_is_over(end_leg):
    assert AGAIN not in end_leg(1, 143, state="CANCELLED", success=4)


def test_there_are_no_more_legs_than_asked_for(end_leg):
    said = end_leg(20, 137, success=4)
    assert AGAIN not in said
    assert "That was the last of LEGS=20 legs" in said
