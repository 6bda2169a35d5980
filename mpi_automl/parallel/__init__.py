"""The only place that imports mpi4py: communicator, coordinator, launcher, abort."""
