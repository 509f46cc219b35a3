"""Tierline as a library: route and call in this process, without an HTTP server.

    async with Client.from_file("tierline.yaml") as client:
        answer = await client.chat("What is the capital of France?", task="geography")
        print(answer.text, answer.model, answer.cost)

        async with client.stream("Tell me a story.") as story:
            async for piece in story:
                print(piece, end="")
        print(story.answer.why)

It is the gateway itself: the same spec, decisions, fallbacks and log rows. Routing alone, without calls, is `tierline.routing.Router`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any

import msgspec

from tierline import plugins
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.gateway.answered import Answered
from tierline.gateway.asked import Asked
from tierline.gateway.assemble import log_path, open_log
from tierline.gateway.books import Books
from tierline.gateway.downstream import Opening
from tierline.gateway.reload import Live
from tierline.gateway.shadow.accounts import Accounts
from tierline.gateway.shadow.pool import Pool
from tierline.interfaces import Dialect
from tierline.routing.explain import short
from tierline.types.errors import LedgerAway, RequestError
from tierline.types.hints import Hints
from tierline.types.outcome import NO_USAGE, Usage
from tierline.types.request import Kind

Messages = str | Sequence[Mapping[str, Any]]
"""A question as it stands, or messages as OpenAI's API takes them."""

_AHEAD = 16
"""Pieces of a stream that may wait for a slow reader; then the upstream waits too."""


class Reply(msgspec.Struct, frozen=True):
    """An answer and where it came from. `cost` is USD over every attempt; `body` the answer in OpenAI's format (empty for a stream).
    `answered` names the tool that answered in a model's place; then `model` and `tier` are empty. `flagged`: it is the best there was,
    although its validators did not accept it."""

    text: str
    model: str
    tier: str
    route: str
    task: str
    why: str
    decision: str
    attempts: int
    cost: float
    usage: Usage = NO_USAGE
    finish: str = "stop"
    body: bytes = b""
    answered: str = ""
    flagged: bool = False

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Client:
    """Routes and calls. Use it as an async context manager: it opens providers and the decision log, and closes them.

    `spec` is its path, or a spec that is loaded already; `log` the decision log's file (default: as the spec says)."""

    def __init__(self, spec: Path | str | Loaded, *, environ: Mapping[str, str] | None = None, log: Path | str | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._loaded = spec if isinstance(spec, Loaded) else load(Path(spec), self._environ)
        self._path = log_path(self._loaded) if log is None else Path(log)
        self._dialect: Dialect = plugins.find("dialects", "openai_chat")()

    @classmethod
    def from_file(cls, spec: Path | str, *, environ: Mapping[str, str] | None = None, log: Path | str | None = None) -> Client:
        """A client for the spec at that path; raises SpecInvalid with every problem."""
        return cls(spec, environ=environ, log=log)

    async def __aenter__(self) -> Client:
        self._log = open_log(self._loaded, self._path)
        self._books = Books(self._path, self._loaded.spec.decision_log.url, self._loaded.spec.decision_log.read_url)
        books, pool = self._books, Pool(Accounts(self._books.ask, self._books.note))
        self._live = Live(self._loaded, self._environ, self._log, books.review, books.keep_spec, lambda _: None, pool)
        with suppress(LedgerAway):  # it is looked at again every second
            await self._books.read_pins(self._live.world)
        self._following = asyncio.create_task(self._books.follow_pins(self._live.world))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._following.cancel()
        await self._live.close()
        await self._log.flushed()
        self._books.close()
        self._log.close()

    async def chat(self, messages: Messages, *, model: str = "auto", hints: Hints | None = None, task: str = "", **params: Any) -> Reply:
        """The answer to a conversation. `params` are OpenAI's own (`temperature`, `tools`, …); `hints` what else is known of the request.

        Raises RequestError (NoEligibleModel, UpstreamFailed, …)."""
        return self._reply(_checked(await self.pursued(messages, model=model, hints=hints, task=task, **params)))

    async def pursued(
        self, messages: Messages, *, model: str = "auto", hints: Hints | None = None, task: str = "", **params: Any
    ) -> Answered:
        """What came of a conversation, for those who count failures too: the decision, every attempt with its outcome, and the error
        where nothing answered. Raises RequestError only for what cannot be decided at all."""
        asked = self._asked({"model": model, "messages": _messages(messages), **params}, "chat", hints, task)
        return await self._live.gateway.answer(asked)

    async def settled(self) -> None:
        """Returns when the models that answer beside are done, and what their answers are worth is written down. Leaving the client's block
        without it ends them half-way."""
        if self._live.pool is not None:
            await self._live.pool.idle()

    async def embed(self, inputs: str | Sequence[str], *, model: str = "auto", **params: Any) -> list[list[float]]:
        """A vector for each input; raises RequestError."""
        given = [inputs] if isinstance(inputs, str) else list(inputs)
        asked = self._asked({"model": model, "input": given, "encoding_format": "float", **params}, "embeddings", None, "")
        reply = self._reply(_checked(await self._live.gateway.answer(asked)))
        return [entry["embedding"] for entry in reply.json["data"]]

    def stream(self, messages: Messages, *, model: str = "auto", hints: Hints | None = None, task: str = "", **params: Any) -> Stream:
        """The same answer piece by piece: an async context manager and iterator over its text."""
        body = {"model": model, "messages": _messages(messages), "stream": True, **params}
        return Stream(self, self._asked(body, "chat", hints, task))

    def _asked(self, body: Mapping[str, Any], kind: Kind, hints: Hints | None, task: str) -> Asked:
        encoded = msgspec.json.encode(body)
        known = hints or Hints()
        if task:
            known = msgspec.structs.replace(known, task=task)
        return Asked(self._dialect.parse(encoded, kind), hints=known, body=encoded, started=perf_counter())

    def _reply(self, answered: Answered, text: str | None = None) -> Reply:
        result, decision = answered.result, answered.decision
        outcome, answer = result.outcome, answered.answer
        assert answer is not None
        return Reply(
            text=answer.text if text is None else text,
            model=result.model,
            tier=self._live.gateway.lanes[result.model].model.tier if result.model else "",
            route=decision.route,
            task=decision.task,
            why=short(decision),
            decision=decision.request_id,
            attempts=len(result.attempts),
            cost=answered.cost,
            usage=NO_USAGE if outcome is None else outcome.usage,
            finish=answer.finish,
            body=answer.body if text is None else b"",
            answered=answered.found.by,
            flagged=result.flagged,
        )


class Stream:
    """One answer as it comes. `answer` is set when it has come to its end. Leaving the block early cancels the upstream."""

    def __init__(self, client: Client, asked: Asked) -> None:
        self._client = client
        self._asked = asked
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        self.answer: Reply | None = None

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pieces = asyncio.Queue()  # nobody reads any more: nothing is to wait for room
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def __aiter__(self) -> AsyncIterator[str]:
        held, said = b"", []
        while (piece := await self._pieces.get()) is not None:
            *events, held = (held + piece).replace(b"\r\n", b"\n").split(b"\n\n")
            for text in filter(None, map(_text, events)):
                said.append(text)
                yield text
        answered = _checked(await self._task)
        self.answer = self._client._reply(answered, "".join(said))

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""

    async def send(self, data: bytes) -> None:
        """Hand on a piece; waits while the reader is slow."""
        await self._pieces.put(data)

    async def _run(self) -> Answered:
        try:
            return await self._client._live.gateway.answer(self._asked, self)
        finally:
            await self._pieces.put(None)


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    index: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []


_chunk = msgspec.json.Decoder(_Chunk)


def _text(event: bytes) -> str:
    """The words that one event adds to the first choice."""
    if not event.startswith(b"data: {"):
        return ""
    return "".join([choice.delta.content or "" for choice in _chunk.decode(event[6:]).choices if choice.index == 0])


def _messages(given: Messages) -> Sequence[Mapping[str, Any]]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _checked(answered: Answered) -> Answered:
    """Raises what the request failed with."""
    if isinstance(answered.error, RequestError):
        raise answered.error
    return answered
