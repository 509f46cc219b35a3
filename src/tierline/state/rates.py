"""How often a key may ask and a model be called: requests and tokens in a time, and requests at one time.

A `Window` counts in two spans of the wall clock, the one that runs and the one before; what was taken before counts less and less as the
running one goes on (a sliding window counter). That is two numbers and O(1) whatever the traffic. In no span of the clock is more than the
limit taken; in a span that lies across two, never more than twice the limit, and there only after a burst at the end of the first.

A window is made to be shared: `name` is the counter's, `at` numbers the span of the clock, which is the same for every process, and
`used` is what was taken in it here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.resolve import rate
from tierline.types.access import Key, Rate
from tierline.types.errors import RateLimited

BUSY = 1.0
"""Seconds after which a key whose places are all taken is told to come back: when one is free cannot be known."""


SLACK = 0.002
"""Seconds that a call waits longer than it must: timers and the clock on the wall do not agree on the last of them."""


class Allowance(msgspec.Struct, frozen=True):
    """One limit as a client may see it: what is left of it now, and the seconds until nothing of what was taken counts any more."""

    limit: int
    left: int
    reset: float


class Span(Protocol):
    """What a limit is counted by: a `Window` of one process, or one that several keep together (`state/shared_rates`)."""

    name: str
    limit: int
    seconds: float

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may be taken, 0 when it may now, infinite when it is more than the limit."""

    def take(self, amount: float, now: float) -> int:
        """Count so much as taken; the span it is counted in."""

    def correct(self, by: float, taken_at: int, now: float) -> None:
        """What was taken in a span was so much more, or less."""

    def allowance(self, now: float) -> Allowance:
        """What a client may see of it."""


class Window:
    """At most `limit` in `seconds`. Time is Unix time; where a clock is put back a little it stands still here."""

    __slots__ = ("_before", "at", "limit", "name", "seconds", "used")

    def __init__(self, name: str, limit: int, seconds: float) -> None:
        self.name = name
        self.limit = limit
        self.seconds = seconds
        self.at = 0
        self.used = 0.0
        self._before = 0.0

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may be taken, 0 when it may now, infinite when it is more than the limit."""
        if amount > self.limit:
            return math.inf
        gone = self._gone(now)
        room = self.limit - self.used - amount
        if self._before * (1.0 - gone) <= room:
            return 0.0
        if room >= 0.0:  # within this span, once enough of the one before has slid out
            return (1.0 - room / self._before - gone) * self.seconds
        return (1.0 - gone + max(1.0 - (self.limit - amount) / self.used, 0.0)) * self.seconds

    def take(self, amount: float, now: float) -> int:
        """Count so much as taken; the span it is counted in."""
        self._gone(now)
        self.used += amount
        return self.at

    def correct(self, by: float, taken_at: int, now: float) -> None:
        """What was taken in a span was so much more, or less: more counts from now on, less is given back where it still counts."""
        self._gone(now)
        if by > 0.0 or taken_at == self.at:
            self.used = max(self.used + by, 0.0)
        elif taken_at == self.at - 1:
            self._before = max(self._before + by, 0.0)

    def allowance(self, now: float) -> Allowance:
        """What a client may see of it."""
        gone = self._gone(now)
        left = max(math.floor(self.limit - self.used - self._before * (1.0 - gone)), 0)
        spans = 2.0 - gone if self.used else 1.0 - gone if self._before else 0.0
        return Allowance(self.limit, left, spans * self.seconds)

    def _gone(self, now: float) -> float:
        """The share of the running span that is over, at most 1. A clock that is put back by more than a span is believed: what was taken
        counts from there on."""
        at = int(now // self.seconds)
        if at < self.at - 1:
            self.at = at
        elif at > self.at:
            self._before = self.used if at == self.at + 1 else 0.0
            self.used, self.at = 0.0, at
        return min(max(now / self.seconds - self.at, 0.0), 1.0)


class Limits:
    """The limits of one key or one model, each None where there is none. `most` is of `in_flight`."""

    __slots__ = ("in_flight", "most", "requests", "tokens")

    def __init__(
        self, name: str, given: Rate | None, most: int | None = None, make: Callable[[str, int, float], Span] | None = None
    ) -> None:
        given, made = given or Rate(), make or Window
        self.requests = None if given.requests is None else made(f"rate/{name}/requests", given.requests, given.per)
        self.tokens = None if given.tokens is None else made(f"rate/{name}/tokens", given.tokens, given.per)
        self.most = most
        self.in_flight = 0

    @property
    def busy(self) -> int:
        """Requests in flight."""
        return self.in_flight

    def resize(self, limit: int) -> None:
        """So many may be in flight from now on."""
        self.most = limit

    def windows(self) -> list[str]:
        """The names of what it is counted by."""
        return [window.name for window in (self.requests, self.tokens) if window is not None]

    def wait(self, tokens: float, now: float) -> float:
        """Seconds until a request of so many tokens may be made, 0 when it may now."""
        asked = 0.0 if self.requests is None else self.requests.wait(1.0, now)
        return asked if self.tokens is None else max(asked, self.tokens.wait(tokens, now))


class Turn:
    """One request under one key's limits, or one call under a model's. Its tokens are reserved by an estimate and settled by what was
    used; `close` gives back its place, and what it reserved and never settled."""

    __slots__ = ("_at", "_begun", "_clock", "_limits", "_reserved", "_who")

    def __init__(self, who: str, limits: Limits, clock: Callable[[], float]) -> None:
        self._who = who
        self._limits = limits
        self._clock = clock
        self._begun = False
        self._reserved = 0.0
        self._at = 0

    def begin(self) -> None:
        """Count the request; raises RateLimited where its requests, its tokens or its places are all taken, and then counts nothing."""
        limits, now = self._limits, self._clock()
        if limits.most is not None and limits.in_flight >= limits.most:
            raise RateLimited(f"{self._who} has {limits.in_flight} requests in flight, as many as it may have", retry_after=BUSY)
        if limits.requests is not None and (wait := limits.requests.wait(1.0, now)):
            raise RateLimited(f"{self._who} has had its {_said(limits.requests, 'requests')}", retry_after=wait)
        if limits.tokens is not None and (wait := limits.tokens.wait(0.0, now)):
            raise RateLimited(f"{self._who} has had its {_said(limits.tokens, 'tokens')}", retry_after=wait)
        if limits.requests is not None:
            limits.requests.take(1.0, now)
        limits.in_flight += 1
        self._begun = True

    def reserve(self, tokens: int) -> None:
        """Reserve the tokens that the request may take; raises RateLimited where they are not there, without `retry_after` where
        they never will be."""
        window = self._limits.tokens
        if window is None:
            return
        now = self._clock()
        wait = window.wait(tokens, now)
        if wait == math.inf:
            raise RateLimited(
                f"this request may take about {tokens} tokens, and {self._who} may have {_said(window, 'tokens')}: make it smaller"
            )
        if wait:
            raise RateLimited(f"{self._who} has not enough left of its {_said(window, 'tokens')} for about {tokens}", retry_after=wait)
        self._at = window.take(tokens, now)
        self._reserved += tokens

    def settle(self, tokens: int) -> None:
        """So many tokens were used in truth."""
        window = self._limits.tokens
        if window is not None:
            window.correct(tokens - self._reserved, self._at, self._clock())
            self._reserved = 0.0

    def close(self) -> None:
        """The request is over."""
        if self._reserved:
            self.settle(0)
        if self._begun:
            self._limits.in_flight -= 1
            self._begun = False

    @property
    def limits(self) -> Limits:
        """What it is counted by."""
        return self._limits

    def told(self) -> tuple[Allowance | None, Allowance | None]:
        """What is left of requests and of tokens, for the client."""
        now, limits = self._clock(), self._limits
        return (
            None if limits.requests is None else limits.requests.allowance(now),
            None if limits.tokens is None else limits.tokens.allowance(now),
        )


class Rates:
    """The limits of every model and key that has any. `clock` gives Unix time. A key's are made when it first asks; those of keys that are
    gone are forgotten by `keep`. `make` makes a window; by default one that this process keeps alone."""

    def __init__(self, clock: Callable[[], float] = time.time, make: Callable[[str, int, float], Span] | None = None) -> None:
        self._clock = clock
        self._make = make
        self.models: dict[str, Limits] = {}
        self._keys: dict[str, tuple[Key, Limits]] = {}
        self._given: dict[str, Rate] = {}

    def adopt(self, loaded: Loaded) -> None:
        """Take a new spec, and those of its experiments' arms: a model whose rate is the same goes on counting. Where two of them know a
        model, the spec's own word holds."""
        specs = (*loaded.arms.values(), loaded)
        given = {name: rate(model.rate) for known in specs for name, model in known.spec.models.items() if model.rate is not None}
        old, self._given = self._given, given
        self.models = {
            name: self.models[name] if old.get(name) == limit else Limits(f"model/{name}", limit, None, self._make)
            for name, limit in given.items()
        }

    def limited(self) -> Mapping[str, float]:
        """The models that take no call now → seconds until they do."""
        now = self._clock()
        return {name: wait for name, limits in self.models.items() if (wait := limits.wait(1.0, now))}

    def call(self, model: str, tokens: int) -> Turn | float:
        """A call of a model with a rate, its tokens reserved; or the seconds until there may be one."""
        limits, now = self.models[model], self._clock()
        if limits.tokens is not None:
            tokens = min(tokens, limits.tokens.limit)  # one that is estimated above the limit goes alone
        if wait := limits.wait(tokens, now):
            return wait + SLACK
        turn = Turn(f"the model {model!r}", limits, self._clock)
        turn.begin()
        turn.reserve(tokens)
        return turn

    def turn(self, key: Key) -> Turn:
        """A request of a key that is limited; it is not counted yet."""
        known = self._keys.get(key.name)
        if known is None or (known[0].rate, known[0].max_concurrency) != (key.rate, key.max_concurrency):
            known = self._keys[key.name] = (key, Limits(f"key/{key.name}", key.rate, key.max_concurrency, self._make))
        return Turn(f"the key {key.name!r}", known[1], self._clock)

    def keep(self, names: Collection[str]) -> list[str]:
        """Forget the keys that are not among these; the windows they were counted by."""
        gone = [self._keys.pop(name)[1] for name in self._keys.keys() - set(names)]
        return [window for limits in gone for window in limits.windows()]


def _said(window: Span, what: str) -> str:
    units = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
    per = f"a {units[window.seconds]}" if window.seconds in units else f"in {window.seconds:g} seconds"
    return f"{window.limit} {what} {per}"
