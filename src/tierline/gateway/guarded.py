"""Where personal data and secrets are found in a request, hidden from whoever may not see them, and put back in the answer.

    asked ─ watch ─► what was found → the rules → placeholders ─► the gateway, models, judges, tools, caches, the log
    client ◄ reveal ─────────────────────────────────────────── answer, whole or streamed

All of it happens at the edge: behind it a redacted request holds nothing that could leak. Whatever cannot be looked at counts as
sensitive.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tierline import plugins
from tierline.config.loaded import Loaded
from tierline.dialects.events import Joining
from tierline.gateway.answered import Answered
from tierline.gateway.asked import Asked
from tierline.gateway.downstream import ClientGone, Downstream
from tierline.gateway.revealed import RevealedStream, revealed_body
from tierline.interfaces import Dialect
from tierline.routing.governance import redactions
from tierline.routing.policy import Policy
from tierline.sensitivity.body import Texts, bytes_of, decoded, rewritten, same, value_of
from tierline.sensitivity.kept import scrubbed
from tierline.sensitivity.scan import NOTHING, Detectors, OwnPatterns, Scan
from tierline.sensitivity.vault import Vault
from tierline.types.errors import BadRequest, UpstreamFailed
from tierline.types.features import Features
from tierline.types.hints import NO_HINTS, Hints
from tierline.types.request import Media, Request
from tierline.types.sensitivity import UNSCANNED, with_pii

_OURS = ("model", "stream")
"""Fields that are never sent on as they come."""
_HELD = ("previous_response_id", "conversation", "cachedContent", "container")
"""Fields by which an upstream holds earlier turns, whose placeholders are not known here."""
_SPREAD = 9000
LONG = 64 * 1024
"""Bytes of a body from which on it is looked at in a thread."""

_logger = logging.getLogger("tierline.governance")

Facts = Callable[[Asked], tuple[Features, str | None]]
"""The features of a request that would be admitted now, and its task, None where that is still open."""


class Watched(msgspec.Struct, frozen=True):
    """A request that was looked at: as the gateway is to see it, and the vault where something of it was hidden."""

    asked: Asked
    vault: Vault | None = None


class Guard:
    """The detectors and rules of one spec that says `governance.detect`."""

    def __init__(self, loaded: Loaded, policy: Policy, dialects: Mapping[str, Dialect]) -> None:
        spec = loaded.spec.governance
        found = plugins.find_all("detectors", spec.detectors)
        detectors = [*(found[name](loaded) for name in spec.detectors), *([OwnPatterns(spec.patterns)] if spec.patterns else [])]
        self._told: set[tuple[str, str]] = set()
        self._detectors = Detectors(detectors, spec.detect, self._failed)
        self._wanted = frozenset(spec.detect)
        self._own = frozenset(spec.patterns)
        self._reads_media = spec.media == "sensitive"
        self._redacts = any(policy.governance.redact)
        self._policy = policy
        self._dialects = dialects
        self._slow = any(name != "patterns" for name in spec.detectors)
        self._salt = loaded.fingerprint.encode()[:64]

    def takes_long(self, asked: Asked) -> bool:
        """Whether others would have to wait while this request is looked at: then it is done in a thread."""
        return self._slow or len(asked.body) > LONG

    def watch(self, asked: Asked, facts: Facts, *, dry: bool = False) -> Watched:
        """Look at a request, and hide what the rules want hidden; `dry`: only say what would be. Raises what `facts` raises, and BadRequest
        where its body makes no sense with placeholders in it."""
        request = asked.request
        try:
            fields = decoded(request.raw)
        except ValueError:
            raise BadRequest("the body cannot be looked at for personal data, so it goes nowhere") from None
        seen = Texts()
        _walk(seen, fields, asked.hints)
        scan = self._detectors(seen.texts)
        unread = self._reads_media and (seen.unread or _has_media(request))
        raw = {name: msgspec.Raw(same(bytes(data), fields[name])) for name, data in request.raw.items()}
        kinds = self._kinds(scan, unread=unread)
        hints = _cleaned(asked.hints, scan, self._salt)
        asked = _with(asked, msgspec.structs.replace(request, raw=raw, sensitivity=kinds), hints)
        if not (self._redacts and scan.values):
            return Watched(asked)
        return self._redacted(asked, fields, scan, seen.texts, facts, unread=unread, dry=dry)

    def _redacted(
        self, asked: Asked, fields: dict[str, Any], scan: Scan, texts: list[str], facts: Facts, *, unread: bool, dry: bool
    ) -> Watched:
        """The request with placeholders for whatever a rule wants replaced. Replacing may settle another task, whose rules want more."""
        now, vault, done = asked, None, frozenset[str]()
        while True:
            wanted = done | self._spelled(redactions(self._policy, *facts(now)))
            values = {value: kind for value, kind in scan.values.items() if kind in wanted}
            if wanted == done or not values:
                return Watched(now, vault)
            done = wanted
            vault = Vault(values, texts, _first(fields))
            hidden = {name: value if name in _OURS else rewritten(value, vault.hide, vault.number, name) for name, value in fields.items()}
            now = self._rebuilt(asked, hidden, wanted & frozenset(values.values()), unread=unread, dry=dry)

    def _rebuilt(self, asked: Asked, hidden: dict[str, Any], kinds: frozenset[str], *, unread: bool, dry: bool) -> Asked:
        """The request with other fields, looked at once more: what was to be hidden and is still there makes it unreadable."""
        request, seen = asked.request, Texts()
        _walk(seen, hidden, asked.hints)
        left = self._detectors(seen.texts)
        sensitivity = self._kinds(left, unread=unread or bool(left.kinds & kinds))
        redacted = tuple(sorted(kinds))
        if dry:
            return _with(asked, msgspec.structs.replace(request, sensitivity=sensitivity, redacted=redacted), asked.hints)
        raw = {name: msgspec.Raw(bytes_of(hidden[name])) for name in request.raw}
        body = msgspec.json.encode(raw)
        try:
            parsed = self._dialects[request.dialect].parse(body, request.kind)
        except BadRequest as error:
            raise BadRequest(f"governance hides a value that the request cannot do without: {error.param or 'a field'}") from None
        made = msgspec.structs.replace(
            parsed, model=request.model, stream=request.stream, hints=request.hints, sensitivity=sensitivity, redacted=redacted
        )
        return _with(asked, made, asked.hints, body)

    def _kinds(self, scan: Scan, *, unread: bool) -> tuple[str, ...]:
        found = scan.kinds
        if unread:
            found |= self._wanted
        if unread or scan.failed:
            found |= {UNSCANNED}
        return with_pii(found, self._own) if found else ()

    def _spelled(self, kinds: frozenset[str]) -> frozenset[str]:
        """Kinds with `pii` written out."""
        return kinds | (self._wanted - self._own - {"secret"}) if "pii" in kinds else kinds

    def _failed(self, name: str, error: str) -> None:
        """Said once for each detector and class of error; requests count as sensitive as long as it lasts."""
        if (name, error) not in self._told and len(self._told) < 100:
            self._told.add((name, error))
            _logger.error("the detector %s failed (%s): requests that it looks at count as sensitive", name, error)

    # the way back

    def client(self, watched: Watched, client: Downstream | None) -> RevealedStream | None:
        """Where a stream goes so that its client sees the values again; None where nothing was hidden."""
        if watched.vault is None or client is None:
            return None
        return RevealedStream(client, watched.vault, self._dialects[watched.asked.request.dialect], watched.asked.request)

    def words(self, text: str) -> str | None:
        """A text that somebody sent beside a request, as it may be kept; None where it cannot be looked at."""
        told = scrubbed(text, self._detectors)
        return None if told is None else str(value_of(told))

    def kept(self, text: bytes, dialect: Dialect) -> bytes | None:
        """A prompt and its answer as the log may keep them: whatever is found in them is replaced, for good. None where they cannot be
        looked at. A stream becomes the whole answer that its events make, for they may cut a value anywhere."""
        try:
            told = value_of(text)
            if isinstance(told["answer"], str):
                told["answer"] = _joined(told["answer"].encode("utf-8", "surrogatepass"), dialect)
        except ValueError:
            return None
        return scrubbed(told, self._detectors)


async def revealed(vault: Vault, stream: RevealedStream | None, answered: Answered) -> Answered:
    """What came of a request in which values were hidden, as its client is to see it."""
    if stream is not None and not answered.result.truncated and answered.error is None:
        with contextlib.suppress(ClientGone):
            await stream.finished()
    error, answer = answered.error, answered.answer
    if isinstance(error, UpstreamFailed) and error.body:
        error.body = revealed_body(error.body, vault)
    if answer is None or not answer.body:
        return answered
    shown = msgspec.structs.replace(answer, body=revealed_body(answer.body, vault), text=vault.reveal(answer.text))
    return msgspec.structs.replace(answered, revealed=shown)


def _joined(events: bytes, dialect: Dialect) -> Any:
    decoder, joining = dialect.decoder(), Joining(dialect.name)
    for event in (*decoder.feed(events), *decoder.finished()):
        joining.take(event)
    answer = joining.completion()
    return value_of(dialect.render_completion(answer, Request("", dialect.name, ""))) if answer.choices else None


def _with(asked: Asked, request: Request, hints: Hints, body: bytes | None = None) -> Asked:
    return msgspec.structs.replace(asked, request=request, hints=hints, body=asked.body if body is None else body)


def _walk(seen: Texts, fields: Mapping[str, Any], hints: Hints) -> None:
    for name, value in fields.items():
        if name not in _OURS:
            seen.take(value, name)
    seen.texts += [text for text in (hints.session, hints.user_tier, hints.risk, hints.sensitivity, *hints.tags) if text]


def _has_media(request: Request) -> bool:
    return any(isinstance(part, Media) for message in request.messages for part in message.parts)


def _first(fields: Mapping[str, Any]) -> int:
    """The number that placeholders begin with: far from those of earlier turns that only the upstream knows."""
    held = next((str(fields[name]) for name in _HELD if fields.get(name)), "")
    return 1 if not held else 1000 + int.from_bytes(hashlib.blake2s(held.encode("utf-8", "replace"), digest_size=4).digest()) % _SPREAD


def _cleaned(hints: Hints, scan: Scan, salt: bytes) -> Hints:
    """Hints are logged: what was found in one is told by a digest, which is the same for the same value."""
    if scan is NOTHING or hints is NO_HINTS:
        return hints

    def clean(text: str) -> str:
        for value, kind in scan.values.items():
            if value in text:
                text = text.replace(
                    value, f"{kind}:{hashlib.blake2b(value.encode('utf-8', 'replace'), digest_size=6, key=salt).hexdigest()}"
                )
        return text

    return msgspec.structs.replace(
        hints,
        session=clean(hints.session),
        user_tier=clean(hints.user_tier),
        risk=clean(hints.risk),
        sensitivity=clean(hints.sensitivity),
        tags=tuple(map(clean, hints.tags)),
    )
