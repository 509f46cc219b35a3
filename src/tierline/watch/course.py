"""What a detector says of one subject, for every hour at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tierline.watch.evidence import Floats

ALARM = 1.0
"""The score from which on something has moved."""

BACK = 0.5
"""The part of a move that has to be undone before it is over."""


class Course(NamedTuple):
    """Arrays over hours. `score` is the evidence that something has moved, 1 where an alarm is due; `since` the hour in which it most
    likely began, by its place; `was` and `now` the figure before and since; `sure` in [0, 1]. `recent` and `usual` are the figure of the
    last day and what it would be had nothing moved, `error` the standard error of their difference (infinite where too little is known)."""

    score: Floats
    since: Floats
    was: Floats
    now: Floats
    sure: Floats
    recent: Floats
    usual: Floats
    error: Floats


class Verdict(NamedTuple):
    """What is said of one subject at one hour: `state` is `firing`, `calm` (an open alert is over) or empty."""

    state: str
    since: int = 0
    was: float = 0.0
    now: float = 0.0
    sure: float = 0.0


QUIET = Verdict("")


def verdict(course: Course, hour: int, moved: tuple[float, float] | None, floor: int) -> Verdict:
    """What a course says at an hour. `moved` is the figure before and since of the alert that is open, None where none is; what began
    before `floor` was told already and is over."""
    if moved is None:
        if course.score[hour] >= ALARM and course.since[hour] >= floor:
            figures = (float(course.was[hour]), float(course.now[hour]), float(course.sure[hour]))
            return Verdict("firing", int(course.since[hour]), *figures)
        return QUIET
    was, now = moved
    left = float(course.recent[hour] - course.usual[hour]) * np.sign(now - was)
    over = left + float(course.error[hour]) <= BACK * abs(now - was)
    return Verdict("calm", hour, float(course.usual[hour]), float(course.recent[hour]), 0.0) if over else QUIET
