"""Measuring the routing: evaluate, sweep, replay, simulate, gate, report."""
