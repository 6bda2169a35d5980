"""Message tags: every message of the package has one of these."""

REPORT = 11
"""Any rank to rank 0: trials started and finished since its last report, and a sign of life."""

BULLETIN = 12
"""Rank 0 to one rank: incumbents or finished trials of the others, and whether to stop."""
