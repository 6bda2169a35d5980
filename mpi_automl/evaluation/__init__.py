"""One trial: fit, predict and score in a limited child process."""
