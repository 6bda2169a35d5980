"""What stands in for missing numbers."""
