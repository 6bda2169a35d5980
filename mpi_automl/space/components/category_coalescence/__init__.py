"""Whether rare categories are merged."""
