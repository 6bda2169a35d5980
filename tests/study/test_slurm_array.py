"""A study as a Slurm job array, and in one MPI job: the same table of runs."""

import pandas as pd
import pytest
from launching import CHECKOUT
from small_study import write_tables

from mpi_automl.study.definition import read_study
from mpi_automl.study.directory import StudyDirectory
from mpi_automl.study.plan import make_plan
from mpi_automl.study.slurm import prepare_submission

STUDY = """
[study]
ranks = 2
time = "200s"
metrics = ["accuracy"]

[settings]
trials = 1
share = "none"
trial_time = "60s"

[[tables]]
files = "tables/classes.csv"
target = "y"

[variants.tree]
include = ["classifier:decision_tree"]

[variants.bayes]
include = ["classifier:gaussian_nb"]

[variants.forest]
system = "random_forest"
options = {n_estimators = 50}

[slurm]
launch = "mpirun --bind-to none"
options = ["--comment=tests"]
tasks = 2
"""


@pytest.mark.campaign
def test_an_array_and_groups_of_one_job_give_the_same_runs(slurm, tmp_path):
    write_tables(tmp_path / "tables")
    (tmp_path / "study.toml").write_text(STUDY)
    words = ["python", "-m", "mpi_automl", "study"]
    printed = slurm.run(*words, "submit", tmp_path / "study.toml", "--out", tmp_path / "array", cwd=CHECKOUT)
    assert "3 runs in 2 array tasks" in printed and "which collects when the array has ended" in printed
    collecting = int(printed.split("Submitted job ")[1].split(",")[0])
    script = tmp_path / "one_job.sh"
    command = " ".join([*words, "run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "groups")])
    script.write_text(f"#!/bin/bash\nmpirun --bind-to none -n 4 {command} && {command.replace(' run ', ' collect ')}\n")
    one_job = slurm.submit("--ntasks=4", f"--output={tmp_path}/one_job.log", script, cwd=CHECKOUT)
    for job in (one_job, collecting):
        state = slurm.wait(job, 250)["JobState"]
        assert state == "COMPLETED", [path.read_text() for path in tmp_path.rglob("*.log")]
    tables = [pd.read_parquet(tmp_path / way / "results.parquet") for way in ("array", "groups")]
    shown = ["id", "table", "seed", "variant", "state", "score", "ranks", "settings_hash", "table_hash"]
    pd.testing.assert_frame_equal(*(table[shown] for table in tables))
    assert set(tables[0]["state"]) == {"finished"}
    assert tables[0]["job"].nunique() == 2 and tables[1]["job"].nunique() == 1


def test_the_scripts_ask_for_what_the_runs_need(tmp_path):
    write_tables(tmp_path / "tables")
    text = STUDY.replace("tasks = 2", 'tasks = 2\nsetup = "module load python"')
    (tmp_path / "study.toml").write_text(text.replace("ranks = 2", "ranks = 3\nseeds = 2"))
    study = read_study(tmp_path / "study.toml")
    directory, plan = StudyDirectory(study.directory), make_plan(study)
    directory.write_plan(plan, study.path)
    submission = prepare_submission(directory, plan, again=False)
    script = submission.array.read_text()
    assert (submission.runs, submission.tasks) == (6, 2)
    assert "#SBATCH --array=0-1\n" in script and "#SBATCH --ntasks=3\n" in script
    # Three runs of 200 s each for a task, a minute around each, and five minutes more.
    assert "#SBATCH --time=18\n" in script and "--most 3" in script
    assert "#SBATCH --comment=tests\n" in script and "\nmodule load python\n" in script
    assert "study collect" in submission.collect.read_text()
