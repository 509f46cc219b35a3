"""Kinds of media and their types, told from a type or from an address."""

from __future__ import annotations

from tierline.types.conversation import MediaKind

_BY_EXTENSION = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "csv": "text/csv",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
}
_BY_KIND: dict[MediaKind, str] = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "document": "application/pdf"}
_FILMS = ("youtube.com/", "youtu.be/")


def kind_of(mime: str, uri: str = "") -> MediaKind:
    """The kind of a medium by its type, or else by its address."""
    family = (mime or _by_address(uri)).partition("/")[0]
    if family == "image":
        return "image"
    if family == "audio":
        return "audio"
    return "video" if family == "video" else "document"


def mime_of(kind: MediaKind, mime: str, uri: str = "") -> str:
    """The type of a medium: what was told, or what its address says, or what its kind is most often."""
    return mime or _by_address(uri) or _BY_KIND[kind]


def _by_address(uri: str) -> str:
    if any(host in uri for host in _FILMS):
        return "video/mp4"
    name = uri.partition("?")[0].rpartition("/")[2]
    return _BY_EXTENSION.get(name.rpartition(".")[2].lower(), "")
