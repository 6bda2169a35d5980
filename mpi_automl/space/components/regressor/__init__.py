"""Learners for values."""
