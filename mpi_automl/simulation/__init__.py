"""Recorded and surrogate benchmarks that stand in for the evaluation of trials."""
