"""Conformance checks for plug-ins: call them from your tests with your own implementation and a few real bodies of its format.

Each raises AssertionError with the law that does not hold. The built-ins pass the same checks.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Sequence
from functools import partial

from tierline.interfaces import Answerer, Detector, Dialect, Provider, Remembers, Scorer, Shared, StreamReader, Validator
from tierline.testing import findings, neutral, scores
from tierline.testing.laws import law, raises
from tierline.types.ask import Exchange
from tierline.types.catalog import Model
from tierline.types.errors import BadRequest, ProviderFailure, Unavailable
from tierline.types.features import Features
from tierline.types.request import Kind, Request
from tierline.types.shared import Claim, Logged
from tierline.types.wire import Call

_MODEL = Model(name="checked", tier="fast", provider="checks", upstream="a-model/of-the-checks")
_GARBAGE = (
    b"",
    b"\x00",
    b"\xff\xfe{",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b'{"model": 1}',
    b"[" * 100_000,
    b"<html></html>",
    b"data: {",
)


def check_dialect(dialect: Dialect, bodies: Sequence[bytes], answers: Sequence[bytes] = (), kind: Kind = "chat") -> None:
    """The laws of a dialect, on `bodies` that clients send and `answers` that upstreams give. Those of kind `chat` are also taken
    through the neutral form."""
    law(isinstance(dialect, Dialect), "a dialect has every method of the protocol")
    for body in bodies:
        _check_body(dialect, body, kind)
    for garbage in _GARBAGE:
        raises(BadRequest, partial(dialect.parse, garbage, kind), f"parse refuses {garbage[:20]!r} with BadRequest")
    request = dialect.parse(bodies[0], kind)
    for answer in answers:
        given, _ = dialect.read_answer(request, answer)
        law(given.dialect == dialect.name and given.body == answer, "an answer keeps its bytes and names its dialect")
    for garbage in _GARBAGE:
        raises(ProviderFailure, partial(dialect.read_answer, request, garbage), f"read_answer refuses {garbage[:20]!r}")
    for status in (400, 401, 404, 408, 422, 429, 500, 503, 529):
        error, message = dialect.read_error(status, b"\xff<html>")
        law(error != "" and 0 < len(message) <= 500, "every error has a class and a short message")
    if kind == "chat":
        _check_neutral(dialect, bodies, answers)
    failure = Unavailable("draining")
    law(b"draining" in dialect.render_error(failure), "an error's message reaches the client")
    law(b"draining" in dialect.render_error_event(failure), "an error's message reaches the client of a stream")
    law(b"a-model" in dialect.render_models([{"id": "a-model", "created": 0, "owned_by": "checks"}]), "every model is listed")


def check_scorer(scorer: Scorer, pairs: Sequence[tuple[Request, Features]], most: float = 0.1) -> None:
    """The laws of a scorer, on requests with their features, and on odd ones of our own. `most`: seconds of CPU time that one score may
    take."""
    law(isinstance(scorer, Scorer), "a scorer has every method of the protocol")
    law(scorer.name != "", "a scorer has a name")
    features = copy.deepcopy(pairs[0][1]) if pairs else Features("checked")
    for request in scores.odd():
        scores.check_values(scorer, scorer.score(request, features))
    scores.check_purity(scorer, [*pairs, *[(request, features) for request in scores.odd()]])
    scores.check_time(scorer, features, most)


def check_stream(dialect: Dialect, request: Request, stream: bytes) -> None:
    """The laws of a stream reader: a stream cut anywhere gives the same bytes and the same state as the whole of it."""
    whole = read_stream(dialect.reader(request), [stream])
    for at in range(len(stream) + 1):
        law(read_stream(dialect.reader(request), [stream[:at], stream[at:]]) == whole, f"cut at byte {at}, it gives the same")
    pieces = [stream[at : at + 1] for at in range(len(stream))]
    law(read_stream(dialect.reader(request), pieces) == whole, "byte by byte, it gives the same")


def read_stream(reader: StreamReader, pieces: Sequence[bytes]) -> tuple[object, ...]:
    """What a reader passes on, and its state at the end, as values that can be compared."""
    passed = b"".join([*map(reader.feed, pieces), reader.finished()])
    error = reader.error.kind if reader.error is not None else ""
    return passed, reader.content, reader.usage, reader.finish, reader.done, error, reader.served_model, reader.output_chars


async def check_provider(make: Callable[[], Provider], call: Call, stream: Call) -> None:
    """The laws of a provider that can answer `call` (whole) and `stream` (a stream) with status 200."""
    provider = make()
    law(isinstance(provider, Provider), "a provider has every method of the protocol")
    reply = await provider.send(call)
    law(reply.status == 200, "the call is answered")
    law(all(name == name.lower() for name in reply.headers), "header names are in lower case")
    law(await reply.body() != b"", "an answer has a body")
    await reply.close()
    reply = await provider.send(stream)
    pieces = []
    while (piece := await reply.chunk()) is not None:
        pieces.append(piece)
    law(bool(pieces) and all(pieces), "a stream comes in pieces, none of them empty")
    law(await reply.chunk() is None, "behind the end there is nothing")
    await reply.close()
    await reply.close()
    reply = await provider.send(stream)
    await reply.close()
    await provider.close()
    await provider.close()


def check_validator(validator: Validator, passing: Sequence[Exchange], failing: Sequence[Exchange], replies: Sequence[str] = ("",)) -> None:
    """The laws of a validator, on exchanges that it is to pass and to refuse. One that asks is told each of `replies` in turn: the first is
    a reply under which it passes and refuses as said."""
    law(isinstance(validator, Validator), "a validator has every part of the protocol")
    law(validator.name != "", "a validator has a name")
    for exchange in passing:
        law(findings.of(validator, exchange, replies[0]).passed, "what is to pass, passes")
    for exchange in failing:
        found = findings.of(validator, exchange, replies[0])
        law(not found.passed, "what is to be refused, is refused")
        law(found.detail != "", "a refusal says why")
    for exchange in (*passing, *failing, *findings.odd()):
        findings.check(validator, exchange, replies[0])
    for exchange in (*passing, *failing) if validator.asks else ():
        for reply in (*replies, *findings.ODD_REPLIES):
            findings.check(validator, exchange, reply)


async def check_answerer(make: Callable[[], Answerer], known: Request, unknown: Request) -> None:
    """The laws of an answerer that knows an answer to `known` (one that learns is given it first) and none to `unknown`."""
    answerer, features = make(), Features("checked")
    law(isinstance(answerer, Answerer), "an answerer has every part of the protocol")
    law(answerer.name != "", "an answerer has a name")
    if isinstance(answerer, Remembers):
        law(await answerer.answer(known, features) is None, "one that learns knows nothing at first")
        answerer.keep(known, neutral.WORDS)
        answerer.keep(unknown, neutral.CALLS)
    hit = await answerer.answer(known, features)
    law(hit is not None and bool(hit.text or hit.answer), "what is known is answered")
    law(await answerer.answer(known, features) == hit, "the same question gets the same answer")
    law(await answerer.answer(unknown, features) is None, "what is not known, or was no answer in words, is not answered")
    asked = [answerer.answer(request, features) for request in (known, unknown) * 4]
    law((await asyncio.gather(*asked))[::2] == [hit] * 4, "it may be asked many times at once")
    await answerer.close()
    await answerer.close()
    await make().close()


async def check_shared(make: Callable[[], Shared]) -> None:
    """The laws of what workers hold in common, on two members; `make` gives a fresh member of the same table each time. The counters are
    named `checks/*`."""
    one, other = make(), make()
    law(isinstance(one, Shared), "it has every method of the protocol")
    ends = time.time() + 3600.0

    def claim(used: float, hold: float, window: str = "now", counter: str = "checks/a") -> Claim:
        return Claim(counter, window, 10.0, used, hold, 60.0, ends)

    law(await one.claim([]) == [], "no claims, no grants")
    (first,) = await one.claim([claim(0.0, 6.0)])
    law((first.hold, first.used, first.others) == (6.0, 0.0, 0.0), "the first gets what it wishes")
    (second,) = await other.claim([claim(0.0, 6.0)])
    law((second.hold, second.used, second.others) == (4.0, 0.0, 6.0), "another gets what is left, and learns what others hold")
    (again,) = await one.claim([claim(5.0, 3.0)])
    law((again.hold, again.used) == (1.0, 5.0), "what was used is gone for all, and a hold replaces the one before")
    fresh, apart = await one.claim([claim(0.0, 10.0, "next"), claim(0.0, 10.0, counter="checks/b")])
    law(
        (fresh.hold, apart.hold) == (10.0, 10.0), "another window and another counter begin at nothing, and grants keep the order of claims"
    )
    (over,) = await other.claim([claim(20.0, 1.0)])
    law(over.hold == 0.0 and over.used == 25.0, "what is overdrawn is counted, and nothing is granted")
    known = Logged("checks/a", "now", "0000abc", 7.0, ends)
    await other.credit([known])
    await other.credit([known])
    (dead,) = await other.claim([claim(0.0, 0.0)])
    law(dead.used == 32.0, "what the log knows of one who is gone is counted once, however often it is said")
    (own,) = await other.claim([claim(3.0, 0.0, counter="checks/b")])
    await other.credit([Logged("checks/b", "now", other.member, 3.0, ends)])
    (same,) = await other.claim([claim(0.0, 0.0, counter="checks/b")])
    law((own.used, same.used) == (3.0, 3.0), "what one has said itself is not counted again")
    alone = await one.exchange(b"standing 1", b"news 1")
    both = await other.exchange(b"", b"")
    law(both.standings == {one.member: b"standing 1"} and both.news[-1:] == (b"news 1",), "one hears how another stands, and its news")
    law(alone.born == both.born != "", "both hear of the same table")
    law((await other.exchange(b"", b"")).news == (), "news are heard once")
    law(not (await one.exchange(b"", b"")).news, "and not by who told them")
    await one.close()
    law(one.member not in (await other.exchange(b"", b"")).standings, "who closes stands no longer")
    (back,) = await other.claim([claim(0.0, 0.0, "next")])
    law(back.others == 0.0, "whoever closes gives back what it holds")
    await other.close()


def _check_body(dialect: Dialect, body: bytes, kind: Kind) -> None:
    request = dialect.parse(body, kind)
    law(request.dialect == dialect.name and request.kind == kind, "a request names its dialect and kind")
    law((request.id, request.key) == ("", ""), "parse leaves id and key to the gateway")
    law(dialect.upstream_path(request, _MODEL).startswith("/"), "a path begins with a slash")
    sent = dialect.upstream_body(request, _MODEL)
    again = dialect.parse(sent, kind)
    law(_neutral(again) == _neutral(request), "what is sent upstream reads as what the client asked")
    law(dialect.upstream_body(again, _MODEL) == sent, "what was sent once is sent the same way again")


def _check_neutral(dialect: Dialect, bodies: Sequence[bytes], answers: Sequence[bytes]) -> None:
    request = dialect.parse(bodies[0])
    for body in bodies:
        neutral.check_request(dialect, dialect.parse(body))
    for answer in answers:
        neutral.check_answer(dialect, request, answer)
    neutral.check_stranger(dialect)
    neutral.check_neutral_stream(dialect, request)
    for garbage in _GARBAGE:
        raises(ProviderFailure, partial(dialect.read_completion, garbage), f"read_completion refuses {garbage[:20]!r}")
        neutral.check_garbage(dialect, garbage)


def _neutral(request: Request) -> tuple[object, ...]:
    return request.messages, request.tools, request.params, request.stream, request.inputs


def check_detector(detector: Detector, holding: Sequence[str], plain: Sequence[str], most: float = 0.05) -> None:
    """The laws of a detector, on texts that hold something and on texts that hold nothing. `most`: seconds that a kilobyte may take."""
    law(isinstance(detector, Detector), "a detector has every part of the protocol")
    law(detector.name != "" and len(detector.kinds) > 0, "a detector has a name, and something to look for")
    for text in holding:
        law(len(detector.find(text)) > 0, "what is to be found, is found")
        law(_places(detector, text) == _places(detector, text), "the same text gives the same finds")
        kinds = {one.kind for one in detector.find(text)}
        longer = {one.kind for one in detector.find(f"Well then.\n\x00\n{text}\n\x00\nSo long.")}
        law(kinds <= longer, "what stands in one text of several is found as well")
    for text in plain:
        law(len(detector.find(text)) == 0, "where there is nothing, nothing is found")
    for text in (*holding, *plain, *_ODD_TEXTS):
        for one in detector.find(text):
            law(one.kind in detector.kinds, "only its own kinds are found")
            law(0 <= one.start < one.end <= len(text), "a find lies in the text, and is not empty")
    longest = " ".join([*holding, *plain]) * 20
    began = time.perf_counter()
    detector.find(longest)
    law(time.perf_counter() - began <= most * max(len(longest) / 1024, 1), f"a kilobyte takes at most {most} s")


_ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "\n\x00\n",
    "@" * 500,
    "1" * 500,
    "1 " * 500,
    "[" * 50,
    "\U0001f600" * 20,
    "\u0663" * 40,
    "a@" * 300,
    "+" * 200,
)


def _places(detector: Detector, text: str) -> list[tuple[str, int, int]]:
    return sorted((one.kind, one.start, one.end) for one in detector.find(text))
