"""Greedy ensemble selection and the final model."""
