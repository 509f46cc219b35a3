"""One look: what is to be raised and what is over, from the hours that were counted and the alerts that are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from tierline.config.alerts import Watch
from tierline.types.alert import Alert
from tierline.watch.course import Verdict
from tierline.watch.detectors import DETECTORS
from tierline.watch.past import HOUR, Past
from tierline.watch.subject import Subject

Key = tuple[str, str]
"""A watch and a subject."""


class Look(NamedTuple):
    """`raised` are new alerts, without ids of requests; `over` are alerts that were open, with the time at which they are over."""

    raised: list[Alert]
    over: list[Alert]


def look(past: Past, watches: Sequence[Watch], open_now: Sequence[Alert], ended: Mapping[Key, float], at: float) -> Look:
    """What the last hour of `past` brings, at Unix time `at`. `ended` is when each watch and subject last recovered: what began before that
    is not told again. An alert whose watch or subject is no longer looked at is over."""
    standing = {(alert.watch, alert.subject): alert for alert in open_now}
    found = Look([], [])
    seen: set[Key] = set()
    for watch in watches:
        for subject in DETECTORS[watch.name](past, watch) if past.length else ():
            key = (watch.name, subject.name)
            seen.add(key)
            alert = standing.get(key)
            floor = int(ended.get(key, 0.0) // HOUR) - past.first
            verdict = subject.look(past.last, None if alert is None else (alert.was, alert.now), floor)
            if alert is None and verdict.state == "firing":
                found.raised.append(_alert(past, watch, subject, verdict, at))
            elif alert is not None and verdict.state == "calm":
                found.over.append(msgspec.structs.replace(alert, recovered=at))
    names = {watch.name for watch in watches}
    found.over.extend(msgspec.structs.replace(alert, recovered=at) for key, alert in standing.items() if key[0] not in names)
    return found


def _alert(past: Past, watch: Watch, subject: Subject, verdict: Verdict, at: float) -> Alert:
    told = subject.say(verdict, past.last)
    return Alert(watch.name, subject.name, at, past.at(told.since), verdict.was, verdict.now, verdict.sure, told.what, told.todo)
