"""Served: does a provider answer with another model than the one that was asked for?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.course import QUIET, Verdict
from tierline.watch.news import LEAST_SEEN, news, share_of, total_of
from tierline.watch.past import Past, Values
from tierline.watch.subject import Subject, Told, called, moment, percent, spoken


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """Each model of the spec that says who answers. Another snapshot than before is a change too: `gpt-5-mini-2026-01` after `-2025-08`."""
    for model, values in sorted(past.served.items()):
        name, asked = called("model", model), past.asked.get(model, "")
        yield Subject(
            name,
            partial(_look, values, asked, watch),
            partial(_told, past, watch, name, values, asked),
        )


def alike(asked: str, served: str) -> bool:
    """Whether a served name is the asked one, or a snapshot of it: a prefix goes before a slash, a date or version behind."""
    one, other = asked.lower().rpartition("/")[2], served.lower().rpartition("/")[2]
    return not asked or one.startswith(other) or other.startswith(one)


def stranger(values: Values, asked: str, hour: int, threshold: float) -> tuple[str, float] | None:
    """The most frequent name of the last day that is not the one asked for, and its share."""
    seen = total_of(values, max(hour - 23, 0), hour + 1)
    others = [(count, value) for value, count in seen.items() if value and not alike(asked, value)]
    if not others:
        return None
    count, value = max(others)
    share = count / sum(seen.values())
    return (value, share) if count >= LEAST_SEEN and share >= threshold else None


def _look(values: Values, asked: str, watch: Watch, hour: int, moved: tuple[float, float] | None, floor: int) -> Verdict:
    found, other = news(values, hour, watch.window, watch.threshold), stranger(values, asked, hour, watch.threshold)
    if moved is not None:
        return QUIET if found is not None or other is not None else Verdict("calm", hour, 0.0, 0.0, 1.0)
    if other is not None and (found is None or found.value == other[0]):
        since = next(place for place in range(max(hour - 23, 0), hour + 1) if values[place].get(other[0]))
        return Verdict("firing", since, 0.0, other[1], 1.0) if since >= floor else QUIET
    if found is None or found.since < floor:
        return QUIET
    return Verdict("firing", found.since, 0.0, found.share, 1.0)


def _told(past: Past, watch: Watch, name: str, values: Values, asked: str, verdict: Verdict, hour: int) -> Told:
    found, other = news(values, hour, watch.window, watch.threshold), stranger(values, asked, hour, watch.threshold)
    served = other[0] if other is not None else "" if found is None else found.value
    share = share_of(values, hour, served) or verdict.now
    before = f", where it was {found.before}" if found is not None and found.before != served else ""
    what = f"{spoken(name)} is asked for as {asked or '?'} and served as {served}{before}: {percent(share)} of a day, since "
    todo = (
        "ask the provider whether it moved the name; pin a dated snapshot in models: if you can, and measure the new one: tierline evaluate"
    )
    return Told(what + moment(past.at(verdict.since)), todo, verdict.since)
