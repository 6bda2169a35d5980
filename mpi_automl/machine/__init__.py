"""Facts of this node: launcher, cores, memory, scheduler. Nothing here calls MPI."""
