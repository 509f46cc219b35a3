"""Between two dialects: every stream, cut anywhere, gives the client the same events; what breaks is told once and never encoded."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.test_stream import Client, Pieces
from tierline.gateway.assemble import all_dialects
from tierline.gateway.downstream import Opening
from tierline.gateway.renaming import Renamed, renamed
from tierline.gateway.stream import relay
from tierline.gateway.translate import TranslatingReader, Translation
from tierline.interfaces import Dialect
from tierline.types.catalog import Model
from tierline.types.completion import Counted, Ended, Event, Finished, PartDelta, PartEnded, PartStarted, Ping, Started
from tierline.types.conversation import Conversation, Text, ToolCall
from tierline.types.decision import Decision
from tierline.types.errors import BadRequest, CannotTranslate, ProviderFailure
from tierline.types.outcome import Answer, Usage
from tierline.types.request import Request

DIALECTS = all_dialects()
CROSSED = [pair for pair in itertools.product(DIALECTS, repeat=2) if pair[0] != pair[1]]
MODEL = Model("m", "fast", "p", "served-2026", max_output=4000)
USAGE = Usage(input=11, output=7)
WORDS: list[Event] = [PartStarted(0, Text("")), PartDelta(0, "Hel"), PartDelta(0, "lo "), PartDelta(0, "there."), PartEnded(0)]
CALL: list[Event] = [PartStarted(0, ToolCall("call_1", "look_up", "")), PartDelta(0, '{"city":'), PartDelta(0, '"Paris"}'), PartEnded(0)]


def asked(dialect: str, **fields: object) -> Request:
    """A streamed question in that dialect, whose client named the model `auto`."""
    bodies = {
        "openai_chat": b'{"model":"auto","stream":true,"stream_options":{"include_usage":true},'
        b'"messages":[{"role":"user","content":"Hi"}]}',
        "openai_responses": b'{"model":"auto","stream":true,"input":"Hi"}',
        "anthropic_messages": b'{"model":"auto","stream":true,"max_tokens":99,"messages":[{"role":"user","content":"Hi"}]}',
        "gemini": b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}',
    }
    return msgspec.structs.replace(DIALECTS[dialect].parse(bodies[dialect]), id="r-1", model="auto", stream=True, **fields)


def told(dialect: str, parts: list[Event], finish: str = "stop") -> list[bytes]:
    """An upstream's stream in that dialect, each event's bytes."""
    ends: list[Event] = [Finished(finish), Counted(USAGE), Ended()]  # type: ignore[arg-type]
    encoder = DIALECTS[dialect].encoder(asked(dialect))
    return [piece for event in [Started("id-1", "auto", 1), *parts, *ends] if (piece := encoder.encode(event))]


def translating(client: str, upstream: str) -> TranslatingReader:
    return Translation(DIALECTS[client], asked(client), strict=False).reader(DIALECTS[upstream])


@pytest.mark.parametrize("parts", [WORDS, CALL], ids=["words", "tool"])
@pytest.mark.parametrize(("client", "upstream"), CROSSED)
def test_the_client_gets_the_events_of_its_own_dialect(client: str, upstream: str, parts: list[Event]) -> None:
    finish = "stop" if parts is WORDS else "tool_calls"
    reader = translating(client, upstream)
    got = b"".join([reader.feed(piece) for piece in told(upstream, parts, finish)]) + reader.finished()
    assert (reader.content, reader.done, reader.error) == (True, True, None)
    assert (reader.finish, reader.usage, reader.served_model) == (finish, USAGE, "auto")
    own = DIALECTS[client].reader(asked(client))
    assert own.feed(got) + own.finished() == got
    assert (own.content, own.finish, own.usage) == (True, finish, USAGE)
    assert own.error is None


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
@settings(max_examples=15, deadline=None)
@given(cuts=some.lists(some.integers(0, 5000), max_size=8))
def test_where_the_upstreams_bytes_are_cut_changes_nothing(client: str, upstream: str, cuts: list[int]) -> None:
    stream = b"".join(told(upstream, WORDS))
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    reader, whole = translating(client, upstream), translating(client, upstream)
    pieces = [reader.feed(stream[start:end]) for start, end in itertools.pairwise(edges)]
    assert b"".join(pieces) + reader.finished() == whole.feed(stream) + whole.finished()


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
def test_an_event_leaves_as_soon_as_it_has_come(client: str, upstream: str) -> None:
    reader = translating(client, upstream)
    seen = b""
    for piece in told(upstream, WORDS):
        seen += reader.feed(piece)
        if b"there." in piece and b"Hello" not in piece:
            assert b"there." in seen


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
def test_a_stream_without_its_end_is_an_error_and_nothing_is_made_up(client: str, upstream: str) -> None:
    reader = translating(client, upstream)
    pieces = told(upstream, WORDS)
    cut = next(index for index, piece in enumerate(pieces) if b"lo " in piece)
    got = b"".join([reader.feed(piece) for piece in pieces[: cut + 1]]) + reader.finished()
    assert reader.error is not None and not reader.done
    assert b'"error":{' not in got and b"event: error" not in got and b"Hel" in got
    assert reader.feed(pieces[-1]) == b""


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
@given(noise=some.binary(max_size=200))
@settings(max_examples=15, deadline=None)
def test_noise_is_a_failure_and_never_a_crash(client: str, upstream: str, noise: bytes) -> None:
    reader = translating(client, upstream)
    reader.feed(noise)
    reader.finished()
    assert reader.error is not None and not reader.content


def test_nothing_reaches_the_client_before_the_first_content_and_pings_go_on_behind_it() -> None:
    async def story() -> Client:
        client = Client()
        pieces = told("openai_responses", [*WORDS[:2], Ping(), *WORDS[2:]])
        reply, reader = Pieces(pieces), translating("anthropic_messages", "openai_responses")
        opening = Opening(Decision("r-1", "auto", "p", ()), "m", 1, 0.0, dropped=("seed",))
        end = await relay(reply, reader, client, opening, None)
        assert end.error == "" and client.begun == 1
        return client

    assert b"message_stop" in asyncio.run(story()).got


class Counting:
    """A client's dialect that counts how often it is asked to expand."""

    def __init__(self, dialect: Dialect) -> None:
        self.name, self._dialect, self.expanded = dialect.name, dialect, 0

    def expand(self, request: Request) -> Conversation:
        self.expanded += 1
        return self._dialect.expand(request)


def test_a_request_is_expanded_once_however_many_models_are_asked() -> None:
    counting = Counting(DIALECTS["openai_chat"])
    translation = Translation(counting, asked("openai_chat"), strict=False)  # type: ignore[arg-type]
    for target in ("anthropic_messages", "openai_responses", "anthropic_messages"):
        assert b"Hi" in translation.body(DIALECTS[target], MODEL).body
    assert counting.expanded == 1


def test_embeddings_and_what_has_no_meaning_are_refused() -> None:
    embedding = DIALECTS["openai_chat"].parse(b'{"model":"auto","input":"x"}', "embeddings")
    with pytest.raises(CannotTranslate, match="embeddings"):
        Translation(DIALECTS["openai_chat"], embedding, strict=False).body(DIALECTS["openai_responses"], MODEL)
    elsewhere = DIALECTS["openai_responses"].parse(b'{"model":"auto","input":"x","previous_response_id":"resp_1"}')
    with pytest.raises(CannotTranslate, match="previous_response_id"):
        Translation(DIALECTS["openai_responses"], elsewhere, strict=False).body(DIALECTS["anthropic_messages"], MODEL)


def test_an_answer_that_lies_about_its_format_is_a_failure() -> None:
    translation = Translation(DIALECTS["openai_chat"], asked("openai_chat"), strict=False)
    for body in (b"<html>", b"{}", b"[]", b'{"type":"message"}', b'{"content": 7}'):
        with pytest.raises(ProviderFailure):
            translation.completion(DIALECTS["anthropic_messages"], body)


def test_a_whole_answer_passes_under_the_name_that_its_client_used() -> None:
    for body in (b'{"id":"1","model":"m-2026","x":"m-2026"}', b'{"id":"1", "modelVersion": "m-2026"}'):
        answer = renamed(Answer("d", body, "", served_model="m-2026"), 'au"to')
        assert answer.body == body.replace(b'el":"m-2026"', b'el":"au\\"to"').replace(
            b'"modelVersion": "m-2026"', b'"modelVersion": "au\\"to"'
        )
        assert answer.served_model == "m-2026"


def test_words_that_are_the_models_name_stay_words() -> None:
    body = b'{"model":"m-2026","content":"m-2026, or \\"model\\":\\"m-2026\\""}'
    assert renamed(Answer("d", body, "", served_model="m-2026"), "auto").body == body.replace(b'"m-2026"', b'"auto"', 1)


def test_a_stream_that_passes_through_is_renamed_in_every_event() -> None:
    async def story() -> bytes:
        client, dialect = Client(), DIALECTS["openai_chat"]
        reader = dialect.reader(asked("openai_chat"))
        pieces = [piece.replace(b'"auto"', b'"served-2026"') for piece in told("openai_chat", WORDS)]
        opening = Opening(Decision("r-1", "auto", "p", ()), "m", 1, 0.0)
        await relay(Pieces(pieces), reader, Renamed(client, reader, "auto"), opening, None)
        assert reader.served_model == "served-2026"
        return client.got

    got = asyncio.run(story())
    assert b"served-2026" not in got and got.count(b'"model":"auto"') == got.count(b"data: {")


def test_a_bad_request_keeps_its_field() -> None:
    class Refusing(Counting):
        def expand(self, request: Request) -> Conversation:
            raise BadRequest("messages[0]: no", param="messages[0]")

    with pytest.raises(CannotTranslate) as told_:
        Translation(Refusing(DIALECTS["openai_chat"]), asked("openai_chat"), strict=False).body(DIALECTS["anthropic_messages"], MODEL)  # type: ignore[arg-type]
    assert told_.value.param == "messages[0]"


@pytest.mark.parametrize("client", sorted(DIALECTS))
@pytest.mark.parametrize("counted", [[], [Counted(Usage())]], ids=["no count", "a count of nothing"])
def test_where_an_upstream_tells_no_usage_the_client_gets_the_estimate_of_the_log(client: str, counted: list[Event]) -> None:
    class Silent:
        """A decoder of an upstream that counts nothing."""

        def feed(self, chunk: bytes) -> list[Event]:
            return [Started("id-1", "served"), *WORDS, Finished("stop"), *counted, Ended()] if chunk else []

        def finished(self) -> list[Event]:
            return []

    reader = TranslatingReader(Silent(), DIALECTS[client].encoder(asked(client)), input_tokens=3217)
    said = reader.feed(b"all of it") + reader.finished()
    assert reader.error is None
    assert reader.usage == Usage(input=3217, output=3, estimated=True)
    assert b"3217" in said
