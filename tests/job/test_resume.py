"""What a run that has been begun does not go on with; killed and stopped runs are in test_faults.py."""

from mpi_automl.storage.run_directory import RunDirectory


def test_another_table_or_space_cannot_go_on_with_a_run(example_job, launch):
    words = ["--resume", example_job.directory, "--time", "60"]
    done = launch(None, "python", "-m", "mpi_automl", *words, "--exclude", "classifier:mlp")
    assert done.returncode == 2
    assert "classifier:mlp" in done.stderr
    done = launch(None, "python", "-m", "mpi_automl", *words, "--resampling", "holdout")
    assert done.returncode == 2
    assert "validation rows" in done.stderr


def test_the_same_command_again_does_nothing_when_the_run_is_done(example_job, launch):
    done = launch(None, "python", "-m", "mpi_automl", "--resume", "auto", "--out", example_job.directory)
    assert done.returncode == 0, done.stderr
    assert "nothing is left to do" in done.stdout


def test_a_run_whose_total_time_is_used_up_has_nothing_left_to_do(example_job, launch):
    done = launch(None, "python", "-m", "mpi_automl", "--resume", example_job.directory, "--time-total", "1")
    assert done.returncode == 0, done.stderr
    assert "used up; nothing is left to do" in done.stderr
    assert RunDirectory(example_job.directory).state == "finished"
