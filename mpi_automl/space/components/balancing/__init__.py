"""Whether classes are weighted."""
