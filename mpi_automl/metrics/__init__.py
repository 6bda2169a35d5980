"""Scores of predictions: their tasks, domains and fast forms."""
