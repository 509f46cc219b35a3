"""Names beside marks, moved apart so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.evaluation.report.html import Html, join, tag

HEIGHT = 15.0
_CHAR = 7.4
"""Pixels of an average letter at the label's size."""
_GAP = 11.0
_RADIUS = 8.0
_STEPS = 8
"""Half lines that a name may move up or down."""


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class Label(msgspec.Struct, frozen=True):
    """A name to stand beside the mark at `x`, `y`; one that is not `needed` is left out where there is no room for it."""

    text: str
    x: float
    y: float
    class_: str = "label"
    needed: bool = True


def placed(labels: Sequence[Label], marks: Sequence[tuple[float, float]], left: float, right: float, top: float, bottom: float) -> Html:
    """Every name at the side of its mark where there is room, moved up or down where another name or a mark stands there already; the
    first come first. One that had to go far gets a line to its mark."""
    taken: list[tuple[float, float, float]] = [(x - _RADIUS, x + _RADIUS, y) for x, y in marks]
    drawn = [_place(label, left, right, top, bottom, taken) for label in labels]
    return join(drawn)


def _place(label: Label, left: float, right: float, top: float, bottom: float, taken: list[tuple[float, float, float]]) -> Html:
    width = len(label.text) * _CHAR
    sides = [(label.x + _GAP, "start"), (label.x - _GAP - width, "end")]
    sides = [side for side in sides if side[0] >= left and side[0] + width <= right] or [(max(min(label.x, right - width), left), "start")]
    moves = sorted((step * HEIGHT / 2 for step in range(-_STEPS, _STEPS + 1)), key=abs)
    for move in moves:
        y = label.y + move
        if not top <= y <= bottom:
            continue
        for begin, side in sides:
            if not any(begin < to and at < begin + width and abs(y - line) < HEIGHT for at, to, line in taken):
                taken.append((begin, begin + width, y))
                return _drawn(label, begin, y, width, side)
    return _drawn(label, sides[0][0], label.y, width, sides[0][1]) if label.needed else Html()


def _drawn(label: Label, begin: float, y: float, width: float, side: str) -> Html:
    near = begin - 3 if side == "start" else begin + width + 3
    leader = None
    if abs(y - label.y) > HEIGHT * 0.8:
        leader = tag("line", class_="leader", x1=label.x, y1=label.y, x2=near, y2=y)
    at = begin if side == "start" else begin + width
    return join((leader, tag("text", label.text, class_=label.class_, x=at, y=y + 4, text_anchor=side)))
