"""Work that is done in stages, so that whoever drives it may have others of its kind catch up between two of them.

It waits for nothing: it may be run to its end at once, and comes to the same."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Stages = Generator[None, None, T]
"""Yields after each stage but the last, and returns what the work comes to."""


def finish(stages: Stages[T]) -> T:
    """What the work comes to, all of its stages at once."""
    try:
        while True:
            stages.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
