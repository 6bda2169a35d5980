"""Benchmark studies: many runs planned from one file, executed, collected and compared."""
