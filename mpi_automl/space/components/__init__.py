"""One folder per step, one file per component; importing a file registers its component."""
