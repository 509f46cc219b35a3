"""The laws of a dialect's neutral side: requests and answers to and from the form in which dialects meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.dialects.events import counted, events_of, joined
from tierline.interfaces import Dialect
from tierline.testing.laws import law
from tierline.types.catalog import Model
from tierline.types.completion import Broken, Completion, CompletionChoice, Ended, Event, Ping, Started
from tierline.types.conversation import Conversation, Foreign, Text, Thinking, ToolCall, ToolResult, ToolSpec, Turn
from tierline.types.outcome import Usage
from tierline.types.request import Request

STRANGER = "a-stranger"
"""The dialect that made what no other may get."""

_SIGNED = Thinking("Let me look.", "a-strangers-signature", by=STRANGER)
_SEALED = Thinking(sealed="a-strangers-seal", by=STRANGER)
_CALL = ToolCall("call_1", "look", '{"at":"the sky"}', signature="a-strangers-signature", by=STRANGER)
_STRANGE = Conversation(
    by=STRANGER,
    turns=(
        Turn("system", (Text("Be brief."),)),
        Turn("user", (Text("What is seen?"), Foreign(STRANGER, "of_the_stranger", b'{"type":"of_the_stranger"}'))),
        Turn("assistant", (_SIGNED, _SEALED, _CALL)),
        Turn("tool", (ToolResult("call_1", (Text("The moon."),), "look"),)),
    ),
    tools=(ToolSpec("look", parameters=b'{"type":"object","properties":{"at":{"type":"string"}}}'),),
    foreign_tools=(Foreign(STRANGER, "search", b'{"type":"search"}'),),
)
_ANSWER = Completion(
    STRANGER,
    "answer-1",
    "some-model",
    (CompletionChoice((Text("The moon is seen. Wait …"), ToolCall("call_2", "look", '{"at":"the sea"}')), "tool_calls"),),
    Usage(input=20, output=10, cached=5),
    1_700_000_000,
)
WORDS = Completion(STRANGER, "answer-2", "some-model", (CompletionChoice((Text("The moon is seen."),)),))
"""An answer in words alone."""
CALLS = Completion(STRANGER, "answer-3", "some-model", (CompletionChoice((ToolCall("call_2", "look"),), "tool_calls"),))
"""An answer that calls a tool."""
_MODEL = Model(name="checked", tier="fast", provider="checks", upstream="a-model/of-the-checks")


def check_request(dialect: Dialect, request: Request) -> None:
    """Expanding a request and rendering it again gives an equal request, and loses nothing."""
    conversation = dialect.expand(request)
    law(conversation.by == dialect.name, "a conversation names the dialect that it was made in")
    law(conversation.stream == request.stream, "a conversation says whether it is to be streamed")
    rendered = dialect.render_body(conversation, _MODEL)
    law(rendered.dropped == (), "rendering what the dialect itself expanded drops nothing")
    again = msgspec.structs.replace(dialect.expand(dialect.parse(rendered.body)), stream=conversation.stream)
    law(plain(again) == plain(conversation), "expanding what was rendered gives an equal conversation")


def check_stranger(dialect: Dialect) -> None:
    """What only another dialect knows is named, and never sent."""
    rendered = dialect.render_body(_STRANGE, _MODEL)
    law(b"a-strangers" not in rendered.body, "a signature or sealed reasoning goes to no dialect but the one that made it")
    named = {"thinking.signature", "foreign:of_the_stranger", "foreign:search"}
    law(named <= set(rendered.dropped), f"what cannot be carried is named: {', '.join(sorted(named))}")
    law(len(set(rendered.dropped)) == len(rendered.dropped), "what cannot be carried is named once")
    law(all(words in rendered.body for words in (b"Be brief.", b"What is seen?", b"The moon.", b"the sky")), "all else is carried")


def check_answer(dialect: Dialect, request: Request, body: bytes) -> None:
    """An answer of an upstream, read and rendered for a client, reads the same again."""
    completion = dialect.read_completion(body)
    law(completion.by == dialect.name, "a completion names the dialect that it was read from")
    rendered = dialect.render_completion(completion, request)
    again = dialect.read_completion(rendered)
    law(plain(again.choices) == plain(completion.choices), "reading what was rendered gives equal choices")
    law(again.usage == completion.usage, "usage counts the same in both directions")
    law(again.model == request.model, "an answer names the model as the client named it")


def check_neutral_stream(dialect: Dialect, request: Request) -> None:
    """Another dialect's answer reaches a client, whole and streamed, with its words, its call and its stop reason."""
    whole = dialect.read_completion(dialect.render_completion(_ANSWER, request))
    law(_kernel(whole) == _kernel(_ANSWER), "an answer of another dialect keeps words, calls and stop reason")
    encoder = dialect.encoder(request)
    started, *others = events_of(_ANSWER)
    stream = b"".join([encoder.encode(event) for event in (started, Ping(), *others)])
    events = decoded(dialect, [stream])
    law(isinstance(events[0], Started) and isinstance(events[-1], Ended), "a stream begins with Started and ends with Ended")
    law(_kernel(joined(events, dialect.name)) == _kernel(_ANSWER), "a stream joined equals the whole answer")
    law(counted(events) in (None, _ANSWER.usage), "usage counts the same in a stream")
    for at in range(0, len(stream), 7):
        law(decoded(dialect, [stream[:at], stream[at:]]) == events, f"cut at byte {at}, a stream gives the same events")
    law(isinstance(decoded(dialect, [stream[: len(stream) // 2]])[-1], Broken), "a stream without its end is broken")
    _check_broken(dialect, request)


def _check_broken(dialect: Dialect, request: Request) -> None:
    encoder = dialect.encoder(request)
    encoder.encode(Started("answer-1"))
    told = encoder.encode(Broken("overloaded", "the upstream is busy"))
    law(b"the upstream is busy" in told, "an error inside a stream reaches the client")
    read = decoded(dialect, [told])[-1]
    law(isinstance(read, Broken), "an error inside a stream is read as one")
    law(encoder.encode(Ended()) in (b"", None), "nothing follows an error")


def check_garbage(dialect: Dialect, garbage: bytes) -> None:
    """Bytes that are no stream of the dialect break it, and crash nothing."""
    events = decoded(dialect, [garbage])
    law(isinstance(events[-1], Broken), f"a decoder reads {garbage[:20]!r} as a broken stream")


def decoded(dialect: Dialect, pieces: list[bytes]) -> list[Event]:
    """The events of a stream that comes in such pieces."""
    decoder = dialect.decoder()
    return [*[event for piece in pieces for event in decoder.feed(piece)], *decoder.finished()]


def plain(value: Any) -> Any:
    """A struct as plain data, with JSON in bytes and in arguments compared by what it says, not by how it is spaced."""
    if isinstance(value, msgspec.Struct):
        fields = {field: plain(getattr(value, field)) for field in value.__struct_fields__}
        return {
            "struct": type(value).__name__,
            **fields,
            **({"arguments": _arguments(value.arguments)} if isinstance(value, ToolCall) else {}),
        }
    if isinstance(value, bytes):
        return plain(msgspec.json.decode(value)) if value else ""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _arguments(value: Any) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, TypeError):
        return value


def _kernel(completion: Completion) -> Any:
    """What every dialect can say of an answer."""
    choice = completion.choices[0]
    words = "".join([part.text for part in choice.parts if isinstance(part, Text)])
    calls = [(part.name, _arguments(part.arguments)) for part in choice.parts if isinstance(part, ToolCall) and part.id]
    return words, calls, choice.finish
