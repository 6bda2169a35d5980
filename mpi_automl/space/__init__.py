"""One file per component, the pipeline, and the configuration space."""
