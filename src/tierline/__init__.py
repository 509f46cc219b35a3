"""Tierline: a multi-model routing layer that measures the routing, not just the output."""

__version__ = "0.1.0"
