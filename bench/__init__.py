"""Benchmarks: `python -m bench`. Each module prints its own table."""
