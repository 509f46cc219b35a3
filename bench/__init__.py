"""Benchmarks: each prints its figures as a ratio to a reference of the same run."""
