"""A gateway's driver with models that answer as they are told, in any dialect: what goes out to them is kept, nothing is on a network."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.clock import run
from tierline import plugins
from tierline.dialects.events import events_of
from tierline.gateway.call import Caller
from tierline.gateway.downstream import ClientGone, Opening
from tierline.gateway.drive import drive
from tierline.gateway.means import Lane, Means, ladder_of
from tierline.gateway.translate import Translation
from tierline.gateway.waiting import Waiting
from tierline.gateway.weighed import Weighed
from tierline.interfaces import Dialect, Examination, Validator
from tierline.providers.canned import CannedReply
from tierline.state.purse import Purse
from tierline.state.world import World
from tierline.testing import builders
from tierline.types.access import Endpoint
from tierline.types.ask import Ask, Exchange
from tierline.types.completion import Completion, CompletionChoice
from tierline.types.conversation import Text, ToolCall
from tierline.types.decision import Attempt, Decision, Round, Step
from tierline.types.errors import ProviderFailure
from tierline.types.features import Features
from tierline.types.outcome import Finding, Outcome, Result, Usage
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW
from tierline.types.wire import Call, Reply
from tierline.validators.normalise import normalised_all

DIALECTS: dict[str, Dialect] = {name: plugins.find("dialects", name)() for name in plugins.names("dialects")}
USAGE = Usage(input=100, output=10)


class Says(msgspec.Struct, frozen=True):
    """One answer of a model: words, or calls of tools, after so many seconds, cut into pieces of so many bytes where it is a stream.
    `breaks_at`: the share of the stream after which it breaks off; `pause` seconds lie between two pieces."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    seconds: float = 0.0
    piece: int = 40
    breaks_at: float | None = None
    pause: float = 0.0
    usage: Usage = USAGE
    raw: bytes = b""


class Fails(msgspec.Struct, frozen=True):
    """One failure of a model: an error status, or no answer at all."""

    status: int = 500
    seconds: float = 0.0


class Models:
    """The upstream of a scene. `sent` holds every body by model, in order; `cancelled` the models whose call was cut short by us."""

    def __init__(self, plays: Mapping[str, Sequence[Says | Fails]], lanes: Mapping[str, str]) -> None:
        self.name = "scene"
        self._plays = {name: list(played) for name, played in plays.items()}
        self._dialects = lanes
        self.sent: dict[str, list[Any]] = {name: [] for name in plays}
        self.calls: list[Call] = []
        self.cancelled: list[str] = []

    async def send(self, call: Call) -> Reply:
        name = call.model.name
        self.sent[name].append(msgspec.json.decode(call.body))
        self.calls.append(call)
        plays = self._plays[name]
        played = plays.pop(0) if len(plays) > 1 else plays[0]
        try:
            await asyncio.sleep(min(played.seconds, call.timeout))
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        if played.seconds > call.timeout:
            raise ProviderFailure("timeout", "too slow")
        if isinstance(played, Fails):
            return CannedReply([b'{"error":{"message":"as asked"}}'], sleep=asyncio.sleep, status=played.status)
        return _Noting(self, name, self._reply(call, DIALECTS[self._dialects[name]], played))

    def _reply(self, call: Call, dialect: Dialect, says: Says) -> CannedReply:
        body = _plain(dialect.name, stream=call.stream, **(_COUNTED if dialect.name == "openai_chat" and call.stream else {}))
        request = msgspec.structs.replace(dialect.parse(body), model=call.model.upstream, id="up", stream=call.stream)
        answer = completion(says.text, says.calls, call.model.upstream, says.usage)
        if not call.stream:
            body = says.raw or dialect.render_completion(answer, request)
            return CannedReply([body], sleep=asyncio.sleep)
        encoder = dialect.encoder(request)
        stream = says.raw or b"".join([encoder.encode(event) for event in events_of(answer, 8)])
        failure = None
        if says.breaks_at is not None:
            stream, failure = stream[: int(len(stream) * says.breaks_at)], ProviderFailure("cut", "it broke off")
        pieces = [stream[at : at + says.piece] for at in range(0, len(stream), says.piece)]
        return CannedReply(pieces, sleep=asyncio.sleep, pause=says.pause, failure=failure)

    async def close(self) -> None:
        return


_COUNTED: dict[str, Any] = {"stream_options": {"include_usage": True}}


class _Noting:
    """Notes when we stop listening to an answer before its end."""

    def __init__(self, models: Models, name: str, reply: CannedReply) -> None:
        self._models, self._name, self._reply = models, name, reply
        self.status, self.headers = reply.status, reply.headers

    async def body(self) -> bytes:
        return await self._noting(self._reply.body())

    async def chunk(self) -> bytes | None:
        return await self._noting(self._reply.chunk())

    async def _noting(self, work: Any) -> Any:
        try:
            return await work
        except asyncio.CancelledError:
            self._models.cancelled.append(self._name)
            raise

    async def close(self) -> None:
        await self._reply.close()


def completion(text: str, calls: tuple[ToolCall, ...] = (), model: str = "up", usage: Usage = USAGE) -> Completion:
    parts = (*((Text(text),) if text else ()), *calls)
    return Completion("none", "answer-1", model, (CompletionChoice(parts, "tool_calls" if calls else "stop"),), usage, 1_700_000_000)


class Client:
    """The client's end of a stream; it leaves after so many bytes, and notes the second at which each piece came."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.opening: Opening | None = None
        self.got = b""
        self.came: list[float] = []
        self._leaves_after = leaves_after

    def begin(self, opening: Opening) -> None:
        assert self.opening is None, "a stream begins once"
        self.opening = opening

    async def send(self, data: bytes) -> None:
        assert self.opening is not None
        if self._leaves_after is not None and len(self.got) >= self._leaves_after:
            raise ClientGone
        self.got += data
        self.came.append(asyncio.get_running_loop().time())


class Expects:
    """Passes answers that hold a word, and tells the model which word is missing."""

    def __init__(self, word: str, name: str = "t/expects") -> None:
        self.name = name
        self._word = word

    def check(self, exchange: Exchange) -> Finding:
        if self._word in exchange.text:
            return Finding(passed=True, score=1.0)
        return Finding(passed=False, detail="a word is missing", feedback=f"say {self._word}, not {exchange.text!r}", score=0.0)


class Asks:
    """Passes what a model says yes to."""

    def __init__(self, ask: Ask, name: str = "t/asks", times: int = 1) -> None:
        self.name = name
        self._ask, self._times = ask, times

    def check(self, exchange: Exchange) -> Examination:
        return self._examined(exchange)

    def _examined(self, exchange: Exchange) -> Examination:
        told = []
        for _ in range(self._times):
            told.append((yield self._ask))
        passed = all(one.ok and one.text.startswith("yes") for one in told)
        return Finding(passed=passed, detail=told[-1].detail, feedback="" if passed else f"it was asked about {exchange.text!r}")


class Mends:
    """Replaces an answer's words."""

    def __init__(self, text: str, name: str = "t/mends") -> None:
        self.name = name
        self._text = text

    def check(self, exchange: Exchange) -> Finding:
        return Finding(passed=True, replacement=self._text)


class Breaks:
    """Fails at its own work."""

    name = "t/breaks"

    def check(self, exchange: Exchange) -> Finding:
        raise KeyError(exchange.text)


class Scene:
    """Models, validators, and a client that asks one question. `dialects` says what each model speaks: OpenAI's chat where it is silent."""

    def __init__(
        self,
        plays: Mapping[str, Sequence[Says | Fails]],
        validators: Sequence[Validator] = (),
        *,
        dialects: Mapping[str, str] = {},
        forbidden: frozenset[str] = frozenset(),
        client: str = "openai_chat",
        capabilities: tuple[str, ...] = ("chat", "tools"),
        strict: bool = False,
    ) -> None:
        spoken = {name: dialects.get(name, "openai_chat") for name in plays}
        self.models = Models(plays, spoken)
        self.lanes = {name: self._lane(name, spoken[name], place, capabilities) for place, name in enumerate(plays)}
        self.features = Features("r-1", input_tokens=100)
        self.waiting = Waiting()
        known = {validator.name: validator for validator in validators}
        self.means = Means(
            self.lanes, known, lambda features, task: frozenset(self.lanes) - forbidden, ladder_of(self.lanes, ("fast",)), normalised_all
        )
        self._dialect, self._strict = DIALECTS[client], strict
        models = {name: lane.model for name, lane in self.lanes.items()}
        self.world = World(msgspec.structs.replace(builders.loaded(), models=models, providers={"acme": Endpoint("scene")}))

    def _lane(self, name: str, dialect: str, place: int, capabilities: tuple[str, ...]) -> Lane:
        model = builders.model(name, price=(1.0 + place, 2.0 + place), capabilities=capabilities, upstream=f"up-{name}")
        return Lane(model, Endpoint("scene", dialect=dialect), self.models, DIALECTS[dialect])

    def caller(self, decision: Decision, client: Client | None = None, purse: Purse | None = None) -> Caller:
        body = _plain(self._dialect.name, stream=client is not None)
        request = msgspec.structs.replace(self._dialect.parse(body), id="r-1", model="auto", stream=client is not None)
        translation = Translation(self._dialect, request, strict=self._strict, input_tokens=100)
        weighed = Weighed(request, self.features, NO_SCORES, NO_VIEW, decision, purse)
        return Caller(self.means, self.world, weighed, client, 0.0, "", translation, (), self.waiting)

    def answers(
        self, course: Generator[Round, tuple[Outcome, ...], Result], decision: Decision | None = None, client: Client | None = None
    ) -> Result:
        """What comes of a course, with the stream of its answer delivered."""

        async def answered() -> Result:
            caller = self.caller(decision or plan(), client)
            return await caller.deliver(await drive(course, caller))

        result = run(answered())
        assert not any(self.world.in_flight.values()), "every place is free again"
        return result


def plan(*targets: str, **more: Any) -> Decision:
    """A decision for these targets, one step each."""
    return Decision("r-1", "auto", "p", tuple([Step("fast", (target,)) for target in targets]), **more)


def in_turn(*rounds: Round | Attempt) -> Generator[Round, tuple[Outcome, ...], Result]:
    """A course that asks for these rounds whatever comes of them; the last accepted answer wins, else the last answer, flagged."""
    tried: list[tuple[Attempt, Outcome]] = []
    for one in rounds:
        asked = one if isinstance(one, Round) else Round((one,))
        outcomes = yield asked
        tried += zip(asked.attempts, outcomes, strict=True)
    places = [at for at, (attempt, outcome) in enumerate(tried) if outcome.ok and attempt.cause != "judge"]
    picks = [(attempt.of, outcome.pick) for attempt, outcome in tried if outcome.pick is not None]
    if picks:
        return Result(tuple(tried), picks[-1][0][picks[-1][1] or 0])
    accepted = [at for at in places if tried[at][1].accepted]
    winner = (accepted or places or [None])[-1]
    return Result(tuple(tried), winner, flagged=winner is not None and winner not in accepted)


def _plain(dialect: str, *, stream: bool = False, **more: Any) -> bytes:
    question = "What is two and two?"
    bodies: dict[str, dict[str, Any]] = {
        "openai_chat": {"model": "auto", "messages": [{"role": "user", "content": question}]},
        "openai_responses": {"model": "auto", "input": question},
        "anthropic_messages": {"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": question}]},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": question}]}]},
    }
    return msgspec.json.encode(bodies[dialect] | ({"stream": True} if stream and dialect != "gemini" else {}) | more)
