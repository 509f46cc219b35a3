"""Answerers: tools that are asked before any model. One kind a file."""
