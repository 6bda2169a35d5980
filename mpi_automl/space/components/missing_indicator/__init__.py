"""Whether columns tell which numbers were missing."""
