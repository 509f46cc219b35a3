"""How a figure with its interval is written in a terminal."""

from __future__ import annotations

from tierline.evaluation.interval import Figure


def interval(figure: Figure, form: str) -> str:
    """A figure with its interval, or why there is none."""
    if figure.value is None:
        return f"unknown ({figure.why})" if figure.why else "unknown"
    if figure.low is None or figure.high is None:
        return f"{figure.value:{form}} (no interval)"
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"
