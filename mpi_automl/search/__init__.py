"""The SMAC loop of a rank: initial configurations, proposer, run history."""
