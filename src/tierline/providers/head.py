"""How the head of a call is written: what is the same for every call to one path is written once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from tierline.types.errors import ProviderFailure

_OURS = frozenset({"connection", "content-length", "transfer-encoding"})
"""What says where a call ends is not for a spec or a client to say."""

_WRITTEN = "!$%&'()*+,/:;=?@[]~"
"""What stays as it is in a target: it may be written for the wire already."""


class Heads:
    """The heads of calls below `base_url`, with the `headers` of every call, by lower-case name."""

    __slots__ = ("_first", "_headers", "_path", "_said")

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        address = urlsplit(base_url)
        who, _, host = address.netloc.rpartition("@")
        told = {"host": _ascii(host.removesuffix(":443" if address.scheme == "https" else ":80").removesuffix(":"))}
        if who:
            name, _, password = who.partition(":")
            told["authorization"] = f"Basic {b64encode(f'{unquote(name)}:{unquote(password)}'.encode()).decode()}"
        self._path = address.path.rstrip("/")
        self._headers = told | {name: value for name, value in headers.items() if name not in _OURS}
        self._said = self._headers.keys() | _OURS
        self._first: dict[str, str] = {}

    def of(self, path: str, own: Mapping[str, str], length: int) -> bytes:
        """The head of one call to `path`, which comes behind that of the base; `own` headers, by lower-case name, win over those of every
        call; `length` of its body. Raises ProviderFailure where a value would end its line."""
        if own.keys().isdisjoint(self._said):
            first = self._first.get(path)
            if first is None:
                first = self._first[path] = self._begun(path, self._headers)
        else:
            own = {name: value for name, value in own.items() if name not in _OURS}
            first = self._begun(path, {name: value for name, value in self._headers.items() if name not in own})
        return f"{first}{_lines(own)}content-length: {length}\r\n\r\n".encode()

    def _begun(self, path: str, headers: Mapping[str, str]) -> str:
        return f"POST {quote(self._path + path, _WRITTEN)} HTTP/1.1\r\n{_lines(headers)}"


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return quote(host)  # it will not be found


def _lines(headers: Mapping[str, str]) -> str:
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not text.count("\n") == text.count("\r") == len(headers) or "\0" in text:
        raise ProviderFailure("connect", "a header of the call holds a line break → look at the secret and the headers of the provider")
    return text
