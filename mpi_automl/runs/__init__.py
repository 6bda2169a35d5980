"""Runs on disk, and what works on them."""
