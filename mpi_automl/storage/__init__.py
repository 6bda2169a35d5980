"""The only place that imports h5py: the prediction store and the run directory."""
