"""Values put back in an answer on its way to the client: in a whole body, and in a stream whose pieces may cut a placeholder anywhere."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.gateway.downstream import Downstream, Opening
from tierline.interfaces import Dialect
from tierline.sensitivity.body import bytes_of, rewritten, value_of
from tierline.sensitivity.vault import Revealing, Vault, looks_json
from tierline.types.completion import Broken, Cited, Ended, Event, Finished, PartDelta, PartEnded, PartStarted, Signed
from tierline.types.conversation import Citation, Foreign, Refusal, Text, Thinking, ToolCall
from tierline.types.request import Request


def revealed_body(body: bytes, vault: Vault) -> bytes:
    """A JSON body with every value in its place; the very same bytes where it holds no placeholder."""
    if b"[" not in body and b"\\u005" not in body:
        return body
    try:
        value = value_of(body)
    except ValueError:
        return vault.reveal(body.decode("utf-8", "replace"), in_json=True).encode()
    changed = revealed(value, vault)
    return body if changed is value else bytes_of(changed)


def revealed(value: Any, vault: Vault) -> Any:
    """A JSON value with every value in its place. A text that is JSON itself (the arguments of a call) stays JSON."""

    def change(text: str) -> str:
        plain = vault.reveal(text)
        return vault.reveal(text, in_json=True) if plain is not text and looks_json(text) else plain

    return rewritten(value, change)


class RevealedStream:
    """A client's stream: read as events, revealed, and written again in the client's own dialect."""

    __slots__ = ("_client", "_decoder", "_encoder", "_over", "_parts", "_shaped", "_vault")

    def __init__(self, client: Downstream, vault: Vault, dialect: Dialect, request: Request) -> None:
        self._client = client
        self._vault = vault
        self._decoder = dialect.decoder()
        self._encoder = dialect.encoder(request)
        self._shaped = request.params.response_format != "text"
        self._parts: dict[tuple[int, int], Revealing] = {}
        self._over = False

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""
        self._client.begin(opening)

    async def send(self, data: bytes) -> None:
        """Send on what is certain. What comes behind the end (a verdict) passes as it is."""
        if self._over:
            await self._client.send(data)
            return
        written = b"".join([self._encoder.encode(now) for event in self._decoder.feed(data) for now in self._revealed(event)])
        if written:
            await self._client.send(written)

    async def finished(self) -> None:
        """The upstream's stream is whole: what its end still has to say, in a dialect whose end is the end of the file."""
        if self._over:
            return
        told = [event for event in self._decoder.finished() if not isinstance(event, Broken)]
        if written := b"".join([self._encoder.encode(now) for event in told for now in self._revealed(event)]):
            await self._client.send(written)

    def _revealed(self, event: Event) -> list[Event]:
        match event:
            case PartStarted(index, part, choice):
                in_json = isinstance(part, ToolCall) or self._shaped
                self._parts[choice, index] = self._vault.revealing(in_json=in_json)
                return [msgspec.structs.replace(event, part=self._begun(part, in_json=in_json))]
            case PartDelta(index, text, choice):
                now = self._parts[choice, index].feed(text) if (choice, index) in self._parts else text
                return [msgspec.structs.replace(event, text=now)] if now or not text or event.logprobs else []
            case Cited():
                return [*self._rest(event.choice, event.index), msgspec.structs.replace(event, citation=self._cited(event.citation))]
            case PartEnded(index, choice) | Signed(index, _, choice):
                return [*self._rest(choice, index), event]
            case Finished():
                rest = [one for choice, index in list(self._parts) if choice == event.choice for one in self._rest(choice, index)]
                return [*rest, msgspec.structs.replace(event, stop_sequence=self._vault.reveal(event.stop_sequence))]
            case Ended() | Broken():
                self._over = True
        return [event]

    def _rest(self, choice: int, index: int) -> list[Event]:
        """What of a part was still held back."""
        reading = self._parts.get((choice, index))
        held = "" if reading is None else reading.finished()
        return [PartDelta(index, held, choice)] if held else []

    def _begun(self, part: Any, *, in_json: bool) -> Any:
        """A part that begins, with the words that came with it. A placeholder does not reach over from these into what follows."""
        match part:
            case Text() | Thinking() | Refusal():
                return msgspec.structs.replace(part, text=self._vault.reveal(part.text, in_json=in_json)) if part.text else part
            case ToolCall():
                return msgspec.structs.replace(part, arguments=self._vault.reveal(part.arguments, in_json=True))
            case Foreign():
                return msgspec.structs.replace(part, raw=revealed_body(part.raw, self._vault))
        return part

    def _cited(self, citation: Citation) -> Citation:
        reveal = self._vault.reveal
        return msgspec.structs.replace(
            citation,
            url=reveal(citation.url),
            title=reveal(citation.title),
            quoted=reveal(citation.quoted),
            raw=revealed_body(citation.raw, self._vault) if citation.raw else citation.raw,
        )
