"""``python -m mpi_automl``: the same as the command ``mpi-automl``, and the built-in example without a verb."""

from mpi_automl.cli.main import entry

if __name__ == "__main__":
    entry(default=("example",))
