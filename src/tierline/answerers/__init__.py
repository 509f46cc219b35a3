"""Tools that are asked before any model: one kind a file."""
