"""What the watches of mixes have in common: counts by part, and the part that has moved most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from tierline.config.alerts import Watch
from tierline.watch.course import Verdict
from tierline.watch.evidence import Floats
from tierline.watch.mix import began, moved_most, shifted
from tierline.watch.past import Past
from tierline.watch.subject import Subject, Told, moment, of_course, percent

Parts = Mapping[str, Floats]
"""Counts by hour, by part of the mix."""


def of_mix(past: Past, watch: Watch, name: str, parts: Parts, count: int, say: Callable[[str], tuple[str, str]]) -> Subject:
    """The subject of one mix, one of `count` that the watch looks at; `say` puts what has moved into an alert's words and what to do."""
    labels, counts = list(parts), np.array(list(parts.values()))
    course = shifted(counts, alpha=watch.alpha / count, window=watch.window, least=watch.threshold)
    return of_course(name, course, partial(_told, past, labels, counts, say))


def _told(past: Past, labels: list[str], counts: Floats, say: Callable[[str], tuple[str, str]], verdict: Verdict, hour: int) -> Told:
    place, was, now = moved_most(counts, verdict.since, hour)
    since = began(counts, place, hour, max(verdict.since - 24, 0))
    most = f"{labels[place] or 'none'} went from {percent(was)} to {percent(now)} since {moment(past.at(since))} (PSI {verdict.now:.2f})"
    what, todo = say(most)
    return Told(what, todo, since)
