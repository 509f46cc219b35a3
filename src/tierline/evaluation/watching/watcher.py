"""Who looks: keeps the tally of every hour, and asks the detectors what has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import msgspec

from tierline.config.alerts import Watch, watches
from tierline.config.loaded import Loaded
from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.watching.examples import shown_by
from tierline.evaluation.watching.fold import budgets_of, fold, prices_of
from tierline.types.alert import Alert
from tierline.watch.look import Key, Look, look
from tierline.watch.past import HOUR, KEPT, Budgeted, past_of
from tierline.watch.tally import Hour

GRACE = 120.0
"""Seconds after its end at which an hour counts as over: rows are written when a request ends, in batches."""

AGAIN = 48
"""Hours that are counted once more where rows have come late."""

BUSY = 0.2
"""Seconds for which hours are read before others get their turn."""

_decode = msgspec.msgpack.Decoder(Hour).decode
_encode = msgspec.msgpack.Encoder().encode


class Watcher:
    """Looks for one spec. `kept` are the stored tallies of hours, so that each row is read once; what is new goes to `fresh`, to be stored.
    It asks nobody for the time."""

    def __init__(self, loaded: Loaded, kept: Sequence[tuple[int, bytes]] = ()) -> None:
        self.loaded = loaded
        self.watches = watches(loaded.spec.alerts)
        self.hours: dict[int, Hour] = {number: _decode(tally) for number, tally in kept}
        self._budgets = budgets_of(loaded, self.watches)
        self._prices = prices_of(loaded)

    def catch_up(self, reader: LogReader, now: float, *, busy: float = BUSY) -> tuple[list[tuple[int, bytes]], bool]:
        """Count hours that are over by `now` (Unix seconds) and not counted yet, for `busy` seconds at most. Returns their tallies to be
        stored, and whether all of them are done."""
        began, fresh, due = perf_counter(), list[tuple[int, bytes]](), self._due(reader, now)
        for hour in due:
            tally = fold(reader, hour, self._budgets)
            if hour >= first_hour(now, 2):
                tally.prices = dict(self._prices)
            self.hours[hour] = tally
            fresh.append((hour, _encode(tally)))
            if perf_counter() - began > busy:
                break
        for old in [hour for hour in self.hours if hour < first_hour(now)]:
            del self.hours[old]
        return fresh, len(fresh) == len(due)

    def look(
        self, reader: LogReader, open_now: Sequence[Alert], ended: Mapping[Key, float], budgets: Sequence[Budgeted], now: float
    ) -> Look:
        """What is to be raised and what is over; new alerts name requests that show them."""
        asked = {name: model.upstream for name, model in self.loaded.models.items()}
        past = past_of(list(self.hours.values()), asked, budgets)
        found = look(past, self.watches, open_now, ended, now)
        raised = [
            msgspec.structs.replace(alert, requests=shown_by(reader, alert, self._watch(alert), self._budgets)) for alert in found.raised
        ]
        return Look(raised, found.over)

    def _watch(self, alert: Alert) -> Watch:
        return next(watch for watch in self.watches if watch.name == alert.watch)

    def _due(self, reader: LogReader, now: float) -> list[int]:
        """Hours to be counted, the oldest first: from the first row on, or after the last that is known, and lately those with rows that
        came late."""
        end = int((now - GRACE) // HOUR)
        late = [
            hour
            for hour in range(end - AGAIN, end)
            if hour in self.hours and reader.count(Filter(since=hour * HOUR, until=(hour + 1) * HOUR)) != self.hours[hour].rows
        ]
        known = max(self.hours, default=None)
        if known is None:
            oldest = next(iter(reader.rows(Filter(since=first_hour(now) * HOUR), limit=1)), None)
            known = end - 1 if oldest is None else int(oldest["at"] // HOUR) - 1
            late = []
        return late + list(range(known + 1, end))


def first_hour(now: float, back: int = KEPT) -> int:
    """The first hour that is still needed: so many before the one that is over last."""
    return int((now - GRACE) // HOUR) - back
