"""How numerical columns are scaled."""
