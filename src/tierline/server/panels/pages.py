"""The dashboard itself: one page and its files, from memory. They hold nothing, so they need no key."""

from __future__ import annotations

from tierline.dashboard.files import File, read_files
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.headers import Headers
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_GUARDED: Headers = [
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("vary", "accept-encoding"),
]
_ASK_AGAIN = ("cache-control", "no-cache")
_FOR_EVER = ("cache-control", "public, max-age=31536000, immutable")


class Pages:
    """The page under its own name; its files under a digest of them all, so that browsers may keep them."""

    def __init__(self) -> None:
        self._files = read_files()

    async def page(self, exchange: Exchange) -> None:
        """GET /dashboard: the dashboard's one page. It holds nothing; what it shows, it asks with the key that is typed into it."""
        _send(exchange, self._files.page, _ASK_AGAIN)

    async def file(self, exchange: Exchange) -> None:
        """GET /dashboard/{digest}/{path}: a file of the dashboard."""
        digest, _, path = exchange.rest.partition("/")
        found = self._files.others.get(path) if digest == self._files.digest else None
        if found is None:
            raise NotFound("the dashboard has no such file: load its page, /dashboard, again")
        _send(exchange, found, _FOR_EVER)


def routes(_: Ground) -> Routes:
    """The dashboard's addresses."""
    pages = Pages()
    return Routes({("GET", "/dashboard"): Route(pages.page)}, {("GET", "/dashboard/"): Route(pages.file)})


def _send(exchange: Exchange, file: File, kept: tuple[str, str]) -> None:
    headers = [("content-type", file.kind), ("etag", file.etag), kept, *_GUARDED]
    if exchange.headers.get("if-none-match") == file.etag:
        exchange.reply(304, headers, b"")
    elif file.packed and "gzip" in str(exchange.headers.get("accept-encoding") or ""):
        exchange.reply(200, [*headers, ("content-encoding", "gzip")], file.packed)
    else:
        exchange.reply(200, headers, file.body)
