"""The files of the dashboard, read once and served from memory."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

_KINDS = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_WORTH_PACKING = 1024
_SCRIPTS = ("theme.js", "vendor/uplot-1.6.32.js")
"""What is no module; the modules are asked for at once, and not one after the other as they name each other."""


class File(msgspec.Struct, frozen=True):
    """One file: its media type, its bytes, the same bytes packed with gzip (empty where that does not pay), and its ETag."""

    kind: str
    body: bytes
    packed: bytes
    etag: str


class Files(msgspec.Struct, frozen=True):
    """The page itself, and every file that it loads, by path. `digest` is of them all: it stands in their address, so that a browser may
    keep them for ever."""

    page: File
    others: Mapping[str, File]
    digest: str


def read_files() -> Files:
    """Everything under `static`."""
    found = dict(sorted(_under(files("tierline.dashboard") / "static")))
    digest = hashlib.sha256()
    for path, body in found.items():
        digest.update(path.encode() + b"\0" + body)
    named = digest.hexdigest()[:16]
    modules = [path for path in found if path.endswith(".js") and path not in _SCRIPTS]
    loading = "\n".join(f'<link rel="modulepreload" href="dashboard/{named}/{path}">' for path in modules)
    page = found.pop("index.html").replace(b"{modules}", loading.encode()).replace(b"{digest}", named.encode())
    return Files(_file("index.html", page), {path: _file(path, body) for path, body in found.items()}, named)


def _under(folder: Traversable, before: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _under(entry, f"{before}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _KINDS:
            yield before + entry.name, entry.read_bytes()


def _file(path: str, body: bytes) -> File:
    packed = gzip.compress(body, 9, mtime=0) if len(body) >= _WORTH_PACKING else b""
    return File(_KINDS[path.rpartition(".")[2]], body, packed, f'"{hashlib.sha256(body).hexdigest()[:20]}"')
