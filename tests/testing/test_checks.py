"""The conformance checks catch implementations that break a law."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from tierline.dialects.openai_chat import OpenAIChat
from tierline.testing.checks import check_dialect, check_provider, check_stream
from tierline.types.catalog import Model
from tierline.types.completion import Completion, Ended, Event
from tierline.types.conversation import Conversation, Rendered
from tierline.types.outcome import NO_USAGE
from tierline.types.request import Kind, Request
from tierline.types.wire import Call

BODY = b'{"model":"auto","messages":[{"role":"user","content":"Hi"}]}'
CALL = Call(model=Model(name="m", tier="fast", provider="p", upstream="m"), kind="chat", path="/", body=BODY)


class Forgetful(OpenAIChat):
    def upstream_body(self, request: Request, model: Model) -> bytes:
        return b'{"model":"%s","messages":[{"role":"user","content":"something else"}]}' % model.upstream.encode()


class Lenient(OpenAIChat):
    def parse(self, body: bytes, kind: Kind = "chat") -> Request:
        return super().parse(body if body == BODY else BODY, kind)


class Indiscreet(OpenAIChat):
    """Sends what another dialect signed."""

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        rendered = super().render_body(conversation, model)
        return Rendered(rendered.body.replace(b"The moon.", b"The moon. a-strangers-signature"), rendered.dropped)


class Silent(OpenAIChat):
    """Names nothing that it drops."""

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        return Rendered(super().render_body(conversation, model).body)


class Brief(OpenAIChat):
    """Forgets whose request it is."""

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        return super().render_body(msgspec.structs.replace(conversation, user=""), model)


class Uncounting(OpenAIChat):
    """Tells no usage."""

    def render_completion(self, given: Completion, request: Request) -> bytes:
        return super().render_completion(msgspec.structs.replace(given, usage=NO_USAGE), request)


class Talkative(OpenAIChat):
    """Goes on after an error."""

    def encoder(self, request: Request) -> object:  # type: ignore[override]
        fresh = super().encoder

        class Encoder:
            def encode(self, event: Event) -> bytes:
                return fresh(request).encode(event) if isinstance(event, Ended) else self.inner.encode(event)

            inner = fresh(request)

        return Encoder()


class CutsBadly(OpenAIChat):
    def reader(self, request: Request) -> object:  # type: ignore[override]
        reader = super().reader(request)

        class Reader:
            def __getattr__(self, name: str) -> object:
                return getattr(reader, name)

            def feed(self, chunk: bytes) -> bytes:
                return reader.feed(chunk) if chunk.endswith(b"\n\n") else b""

        return Reader()


class Shouting:
    """A reply whose header names are in upper case."""

    status = 200
    headers: Mapping[str, str] = {"X-SHOUT": "1"}

    async def body(self) -> bytes:
        return b"{}"

    async def chunk(self) -> bytes | None:
        return None

    async def close(self) -> None:
        pass


class ShoutingProvider:
    name = "shouting"

    async def send(self, call: Call) -> Shouting:
        return Shouting()

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("broken", "law"),
    [(Forgetful(), "reads as what the client asked"), (Lenient(), "parse refuses"), (object(), "every method of the protocol")],
)
def test_a_dialect_that_breaks_a_law_is_told_which(broken: OpenAIChat, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_dialect(broken, [BODY])


ASKED = b'{"model":"auto","messages":[{"role":"user","content":"Hi"}],"user":"u-1"}'
ANSWER = b'{"id":"a","model":"m","choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Indiscreet(), "goes to no dialect but the one that made it"),
        (Silent(), "what cannot be carried is named"),
        (Brief(), "expanding what was rendered gives an equal conversation"),
        (Uncounting(), "usage counts the same in both directions"),
        (Talkative(), "nothing follows an error"),
    ],
)
def test_a_dialect_that_breaks_a_law_of_the_neutral_side_is_told_which(broken: OpenAIChat, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_dialect(broken, [ASKED], [ANSWER])


def test_a_reader_that_depends_on_the_cuts_is_caught() -> None:
    stream = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n'
    dialect = CutsBadly()
    with pytest.raises(AssertionError, match="cut at byte 1"):
        check_stream(dialect, dialect.parse(BODY), stream)


def test_a_provider_that_breaks_a_law_is_told_which() -> None:
    with pytest.raises(AssertionError, match="lower case"):
        asyncio.run(check_provider(ShoutingProvider, CALL, CALL))
