"""Providers and keys: what stands where it should not, and secrets that are no secret."""

from __future__ import annotations

import re

from tierline.config.case import Case
from tierline.config.environment import has_placeholder
from tierline.config.problems import did_you_mean
from tierline.config.secrets import looks_secret
from tierline.config.sign_in import LIBRARIES, WORDS
from tierline.config.spec import ProviderSpec

SHORTEST_SECRET = 8
"""A shorter key secret is refused: it can be guessed."""
GOOD_SECRET = 20
"""A shorter one is warned of."""

_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")


def examine_access(case: Case) -> None:
    """Reports fields of the wrong kind of provider, unusable headers, weak, doubled and pasted secrets, and rates without a number."""
    for name, provider in case.spec.providers.items():
        _kind(case, name, provider)
        _auth(case, name, provider)
        _doors(case, name, provider)
        _headers(case, name, provider)
        for field in ("connect_timeout", "timeout", "idle_timeout"):
            if getattr(provider, field) == 0:
                case.problems.error(("providers", name, field), "nothing is answered in no time", "give more than 0s")
    _pasted(case)
    _keys(case)
    _rates(case)


def _kind(case: Case, name: str, provider: ProviderSpec) -> None:
    place = ("providers", name)
    belongs = {"table": "recorded", "script": "scripted"}
    belongs |= dict.fromkeys(("base_url", "base_urls", "api_key", "api_keys", "auth", "credentials", "preset", "dialect"), "http")
    for field, kind in belongs.items():
        if getattr(provider, field) and provider.kind != kind:
            case.problems.error(
                (*place, field), f"a provider of kind {provider.kind} has no {field}", f"remove it, or make it kind: {kind}"
            )
    if provider.kind == "recorded" and not provider.table and case.whole:
        case.problems.error(place, "a recorded provider needs a table of answers", "add table: FILE (Parquet, CSV or JSONL)")


def _auth(case: Case, name: str, provider: ProviderSpec) -> None:
    place, auth = ("providers", name, "auth"), provider.auth
    if not auth or has_placeholder(auth):
        return
    if not _HEADER.match(auth):
        case.problems.error(
            place, f"{auth!r} is neither a way to sign in nor a header's name", f"use one of {', '.join(WORDS)}, or a header"
        )
    elif auth not in WORDS and did_you_mean(auth, WORDS).startswith("did you mean"):
        case.problems.warn(place, f"the key is sent in a header named {auth!r}", did_you_mean(auth, WORDS))
    given = "api_keys" if provider.api_keys else "api_key"
    if (provider.api_key or provider.api_keys) and (auth == "none" or auth in LIBRARIES):
        why = "sends no key" if auth == "none" else f"signs in with the credentials of {LIBRARIES[auth].package}"
        case.problems.error(("providers", name, given), f"auth: {auth} {why}, so this one is never used", "remove one of them")


def _doors(case: Case, name: str, provider: ProviderSpec) -> None:
    """One or several: never both, never empty, never the same twice."""
    for one, several in (("api_key", "api_keys"), ("base_url", "base_urls")):
        given = getattr(provider, several)
        if given and getattr(provider, one):
            case.problems.error(("providers", name, several), f"{one} is given too", f"put them all into {several}, and remove {one}")
        for index, text in enumerate(given):
            if not text.strip():
                case.problems.error(("providers", name, several, index), "it is empty", "remove it")
            elif text in given[:index]:
                case.problems.error(("providers", name, several, index), "it is there twice", "remove one of them")


def _headers(case: Case, name: str, provider: ProviderSpec) -> None:
    for header, value in provider.headers.items():
        place = ("providers", name, "headers", header)
        if not _HEADER.match(header):
            case.problems.error(place, f"{header!r} cannot be a header's name", "use letters, digits and -")
        if not value.isprintable() or not value.isascii():
            case.problems.error(place, "the value holds characters that a header cannot carry", "use printable ASCII")


def _pasted(case: Case) -> None:
    """Secrets written into the file instead of read from the environment."""
    for name, provider in case.spec.providers.items():
        written = case.as_written("providers", name, "api_key")
        if looks_secret(written):
            case.problems.warn(
                ("providers", name, "api_key"), "a secret stands in the file", "keep it in the environment: ${" + _variable(name) + "}"
            )
        for index in range(len(provider.api_keys)):
            if looks_secret(case.as_written("providers", name, "api_keys", index)):
                hint = f"keep it in the environment: ${{{_variable(name)}_{index + 1}}}"
                case.problems.warn(("providers", name, "api_keys", index), "a secret stands in the file", hint)
        for header in provider.headers:
            if looks_secret(case.as_written("providers", name, "headers", header)):
                hint = "keep it in the environment and write ${NAME}"
                case.problems.warn(("providers", name, "headers", header), "this looks like a secret, and stands in the file", hint)
    for name in case.spec.keys:
        written = case.as_written("keys", name, "secret")
        if written and not has_placeholder(written):
            hint = "keep it in the environment: ${" + _variable(name) + "}"
            case.problems.warn(("keys", name, "secret"), "a secret stands in the file", hint)


def _rates(case: Case) -> None:
    for section, entries in (("keys", case.spec.keys), ("models", case.spec.models)):
        for name, entry in entries.items():
            if entry.rate is not None and entry.rate.requests is None and entry.rate.tokens is None:
                case.problems.error((section, name, "rate"), "a rate without a number limits nothing", "give requests, tokens or both")


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper() + "_KEY"


def _keys(case: Case) -> None:
    owners: dict[str, str] = {}
    for name, key in case.spec.keys.items():
        place = ("keys", name, "secret")
        if case.whole and not key.scopes:
            case.problems.error(("keys", name, "scopes"), "a key without scopes may do nothing", "give it call, read or admin")
        if has_placeholder(key.secret):
            continue
        if len(key.secret) < SHORTEST_SECRET:
            case.problems.error(
                place, f"the secret has fewer than {SHORTEST_SECRET} characters", "take a long random one: openssl rand -hex 24"
            )
        elif len(key.secret) < GOOD_SECRET:
            case.problems.warn(place, f"the secret has fewer than {GOOD_SECRET} characters", "take a long random one: openssl rand -hex 24")
        if key.secret in owners:
            case.problems.error(place, f"the same secret as the key {owners[key.secret]!r}", "give each key its own")
        owners.setdefault(key.secret, name)
