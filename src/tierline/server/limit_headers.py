"""What a key has left, in the headers that each family of clients reads.

Requests and tokens: the limit, what is left of it, and when nothing of what was taken counts any more. OpenAI's clients read
`x-ratelimit-*` with a span of time (`1m30s`), Anthropic's `anthropic-ratelimit-*` with a moment (RFC 3339). Gemini has no such headers; its
clients get OpenAI's.
"""

from __future__ import annotations

import datetime
import math
import time

from tierline.server.headers import Headers
from tierline.state.rates import Allowance, Turn


def limits(turn: Turn, dialect: str) -> Headers:
    """The headers for a client of that dialect; none of a limit that the key does not have."""
    headers: Headers = []
    for what, allowance in zip(("requests", "tokens"), turn.told(), strict=True):
        if allowance is not None:
            headers += _anthropic(what, allowance) if dialect == "anthropic_messages" else _openai(what, allowance)
    return headers


def _openai(what: str, allowance: Allowance) -> Headers:
    return [
        (f"x-ratelimit-limit-{what}", str(allowance.limit)),
        (f"x-ratelimit-remaining-{what}", str(allowance.left)),
        (f"x-ratelimit-reset-{what}", span(allowance.reset)),
    ]


def _anthropic(what: str, allowance: Allowance) -> Headers:
    moment = datetime.datetime.fromtimestamp(math.ceil(time.time() + allowance.reset), datetime.UTC)
    return [
        (f"anthropic-ratelimit-{what}-limit", str(allowance.limit)),
        (f"anthropic-ratelimit-{what}-remaining", str(allowance.left)),
        (f"anthropic-ratelimit-{what}-reset", moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ]


def span(seconds: float) -> str:
    """A span as OpenAI writes it: `0s`, `250ms`, `6.5s`, `1m30s`, `2h0m5s`."""
    if seconds < 1.0:
        return f"{math.ceil(seconds * 1000)}ms" if seconds else "0s"
    if seconds < 60.0:
        return f"{math.ceil(seconds * 10) / 10:g}s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"
