"""Proposing a change: evidence → a candidate spec that is measured on data which it was not made from."""
