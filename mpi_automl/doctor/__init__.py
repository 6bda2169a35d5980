"""Checks of the installation, the machine and a run."""
