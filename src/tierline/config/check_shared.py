"""What replicas share: an address that can be asked, and times that can be kept."""

from __future__ import annotations

import importlib.util
from urllib.parse import urlsplit

from tierline.config.case import Case
from tierline.config.environment import has_placeholder
from tierline.config.spec import SharedSpec

SCHEMES = ("redis", "rediss", "redis+cluster")


def examine_shared(case: Case) -> None:
    """Reports addresses of no engine, passwords in the file, times that are too short, and settings that nothing would read."""
    shared = case.spec.shared
    place = ("shared",)
    if not shared.url:
        for field in ("prefix", "cluster", "timeout", "ca"):
            if getattr(shared, field) != getattr(SharedSpec(), field):
                case.problems.warn((*place, field), "without url nothing reads this", "add url: ${VALKEY_URL}, or remove it")
    elif not has_placeholder(shared.url):
        _address(case, shared)
    if not 0.01 <= shared.timeout <= 5:
        reason = "requests may wait so long for an engine that is away"
        case.problems.error((*place, "timeout"), reason, "give 10ms to 5s, e.g. 250ms")
    if shared.lease < 1:
        case.problems.error((*place, "lease"), "it would run out between two renewals", "give at least 1s, e.g. 10s")


def _address(case: Case, shared: SharedSpec) -> None:
    place, parts = ("shared", "url"), urlsplit(shared.url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        case.problems.error(place, "this is no address of a Redis or Valkey", "write redis://HOST:6379, rediss://… or redis+cluster://…")
        return
    if parts.password and not has_placeholder(case.as_written("shared", "url")):
        case.problems.warn(place, "a password stands in the file", "keep the address in the environment: ${NAME}")
    if importlib.util.find_spec("redis") is None:
        case.problems.error(place, "sharing needs the package redis", "pip install 'tierline[valkey]'")
    if shared.ca and parts.scheme != "rediss":
        case.problems.warn(("shared", "ca"), "only rediss:// reads this", "write rediss://, or remove it")
