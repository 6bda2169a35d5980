"""What a run that has been begun does not go on with; killed and stopped runs are in test_faults.py."""


def test_another_table_or_space_cannot_go_on_with_a_run(example_job, launch):
    words = ["--resume", example_job.directory, "--time", "60"]
    done = launch(None, "python", "-m", "mpi_automl", *words, "--exclude", "classifier:mlp")
    assert done.returncode == 2
    assert "classifier:mlp" in done.stderr
    done = launch(None, "python", "-m", "mpi_automl", *words, "--resampling", "cv")
    assert done.returncode == 2
    assert "validation rows" in done.stderr


def test_the_same_command_again_does_nothing_when_the_run_is_done(example_job, launch):
    done = launch(None, "python", "-m", "mpi_automl", "--resume", "auto", "--out", example_job.directory)
    assert done.returncode == 0, done.stderr
    assert "nothing is left to do" in done.stdout
