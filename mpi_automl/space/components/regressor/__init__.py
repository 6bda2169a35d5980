"""Learners for values.

To add one, put a file like its neighbours here: it is imported, which registers it.
"""
