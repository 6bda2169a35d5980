"""``python -m mpi_automl``: the same as the command ``mpi-automl``."""

from mpi_automl.cli.main import entry

if __name__ == "__main__":
    entry()
