"""Estimators of our own, where scikit-learn has none or needs a guard."""
