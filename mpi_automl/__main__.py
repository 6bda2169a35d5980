"""``python -m mpi_automl``: the same as the command ``mpi-automl``, and the built-in example without a verb."""

from mpi_automl.machine.import_path import protect_imports

if __name__ == "__main__":
    # Python has put the working directory first: what lies there would stand in for the modules that follow.
    protect_imports()

    from mpi_automl.cli.main import entry

    entry(default=("example",))
