"""Scorers: who names task and difficulty."""
