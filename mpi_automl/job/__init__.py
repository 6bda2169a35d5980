"""The steps of one job, which `mpi_automl.run` puts together."""
