"""Learners for classes and labels."""
