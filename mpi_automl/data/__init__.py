"""Reading tables, column types, target types, splits."""
