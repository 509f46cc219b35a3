"""What providers say of when to come back, in every form that is in use. Pure: the time is an argument.

retry-after                          seconds, or an HTTP date
retry-after-ms                       milliseconds
x-ratelimit-remaining-… = 0          with x-ratelimit-reset-…, a duration such as 6m0s, 120ms or 1h2m3.5s, or plain seconds
anthropic-ratelimit-…-remaining = 0  with anthropic-ratelimit-…-reset, a time after RFC 3339
retryDelay in the error's body       seconds, as Google sends them
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

_OPENAI = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
)
_ANTHROPIC = tuple(
    (f"anthropic-ratelimit-{what}-remaining", f"anthropic-ratelimit-{what}-reset")
    for what in ("requests", "tokens", "input-tokens", "output-tokens")
)
_LIMITS = dict(_OPENAI + _ANTHROPIC)
"""How a provider tells what is left of a limit → how it tells when there is more."""
_TOLD = frozenset(_LIMITS)
_DURATIONS = frozenset(remaining for remaining, _ in _OPENAI)
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?\Z")
_IN_BODY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d{1,9})?)s"')
"""Google's way: a `RetryInfo` among the error's details."""
_UNITS = (3600.0, 60.0, 1.0, 0.001)


def retry_after(headers: Mapping[str, str], now: float, body: bytes = b"") -> float | None:
    """Seconds after which the provider of a failed call wishes to be asked again; None where it does not say. `headers` by lower-case
    name, `now` in Unix time, `body` that of the error.

    The finest wish counts first: milliseconds, then seconds or a date, then the reset of a limit that is used up, then the body's."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    wish = headers.get("retry-after")
    seconds = _number(wish) if wish is not None else None
    if seconds is None and wish is not None:
        seconds = _until_http_date(wish, now)
    if seconds is None:
        seconds = exhausted(headers, limits_told(headers), now)
    if seconds is None and (told := _IN_BODY.search(body)) is not None:
        seconds = _number(told[1].decode())
    return seconds


def limits_told(headers: Mapping[str, str]) -> frozenset[str]:
    """The headers by which the provider says how much is left."""
    return _TOLD.intersection(headers)


def exhausted(headers: Mapping[str, str], told: Iterable[str], now: float) -> float | None:
    """Seconds until there is something left again of a limit that this reply has used up, of those that it `told` (see `limits_told`);
    None where none is. The longest counts."""
    longest: float | None = None
    for remaining in told:
        if _number(headers[remaining]) == 0:
            reset = headers.get(_LIMITS[remaining])
            wait = _duration(reset) if remaining in _DURATIONS else _until(reset, now)
            if wait is not None and (longest is None or wait > longest):
                longest = wait
    return longest


def _number(text: str | None) -> float | None:
    """A plain number that is not negative, else None."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _duration(text: str | None) -> float | None:
    """Seconds of `6m0s`, `120ms`, `1h2m3.5s` or a plain number."""
    number = _number(text)
    if number is not None or not text:
        return number
    parts = _DURATION.match(text.strip())
    if parts is None or not any(parts.groups()):
        return None
    return sum(float(part) * unit for part, unit in zip(parts.groups(), _UNITS, strict=True) if part)


def _until(text: str | None, now: float) -> float | None:
    """Seconds until a time after RFC 3339."""
    try:
        at = datetime.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return _seconds(at, now)


def _until_http_date(text: str, now: float) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return _seconds(at, now)


def _seconds(at: datetime.datetime, now: float) -> float:
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    return max(at.timestamp() - now, 0.0)
