"""Learners for classes and labels.

To add one, put a file like its neighbours here: it is imported, which registers it.
"""
