"""Figures of the learned scorer, all out of sample: `python -m bench scorer [PART…]`."""
