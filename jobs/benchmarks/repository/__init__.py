"""A repository of evaluations: the same candidates on many tables, with their predictions, and portfolios made from it.

In the manner of TabRepo (Salinas and Erickson 2023, arXiv 2311.02971).
"""
