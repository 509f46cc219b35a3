"""How a conformance check fails: with the law that does not hold."""

from __future__ import annotations

from collections.abc import Callable


def law(holds: bool, law: str) -> None:
    """Raises AssertionError with the law that does not hold."""
    if not holds:
        raise AssertionError(f"this law does not hold: {law}")


def raises(error: type[Exception], act: Callable[[], object], said: str) -> None:
    """Raises AssertionError unless `act` raises `error`."""
    try:
        act()
    except error:
        return
    raise AssertionError(f"this law does not hold: {said}")
