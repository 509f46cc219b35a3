"""Figures of the learned scorer, all out of sample: `python -m bench scorer [PART…]`."""

from bench.scorer.run import main

__all__ = ["main"]
