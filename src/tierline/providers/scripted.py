"""The provider that plays a script: a fleet without a network. `script` says what a script holds and means."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec

from tierline.providers import openai_upstream as upstream
from tierline.providers.canned import CannedReply, Sleep
from tierline.providers.inventions import embedding, object_after, sentence, words
from tierline.providers.script import Behaviour, Fail, Script, draw, wrong
from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure
from tierline.types.wire import Call, Reply

_HTML = b"<html><body><h1>Bad gateway</h1></body></html>"
_EVENTS = {"content-type": "text/event-stream"}
_ERRORS: dict[str, tuple[int, str, str | None]] = {
    "server": (500, "server_error", None),
    "overloaded": (503, "overloaded_error", None),
    "rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
    "auth": (401, "authentication_error", "invalid_api_key"),
    "not_found": (404, "invalid_request_error", "model_not_found"),
    "bad_request": (400, "invalid_request_error", None),
    "context_exceeded": (400, "invalid_request_error", "context_length_exceeded"),
    "content_filter": (400, "invalid_request_error", "content_filter"),
}


class ScriptedProvider:
    """Plays the script of `endpoint.script`. `sleep` is how time passes; tests give one that only notes the seconds."""

    def __init__(self, endpoint: Endpoint, *, sleep: Sleep = asyncio.sleep) -> None:
        self.name = endpoint.name
        self.script = Script.of(endpoint.script, f"providers.{endpoint.name}.script")
        self._idle = endpoint.idle_timeout
        self._sleep = sleep
        self._calls: dict[str, int] = {}

    async def send(self, call: Call) -> Reply:
        """Answers one call. Raises ProviderFailure: `connect` and `timeout`, as scripted or because the model is too slow."""
        name = call.model.upstream
        behaviour = self.script.behaviour(name)
        if behaviour is None:
            return self._error("not_found", f"the script has no model {name}")
        try:
            asked = upstream.ask(call.body)
        except msgspec.DecodeError:
            return self._error("bad_request", "the body is no request")
        number = self._calls[name] = self._calls.get(name, 0) + 1
        fail = self._strikes(behaviour, call, number)
        if fail is not None and fail.kind not in ("malformed", "cut"):
            return await (self._falls_silent if fail.kind == "idle" and call.stream else self._fails)(fail, call)
        if call.kind == "embeddings":
            return await self._embeds(behaviour, call, asked)
        said = self._said(behaviour, call, asked)
        return await (self._streams if call.stream else self._tells)(behaviour, call, said, fail, asked.wants_usage)

    async def close(self) -> None:
        """Nothing is open."""

    async def _tells(self, behaviour: Behaviour, call: Call, said: upstream.Said, fail: Fail | None, _usage: bool) -> Reply:
        await self._passes(self._wait(behaviour, call) + self._pause(behaviour) * said.output_tokens, call.timeout)
        body = _HTML if fail is not None and fail.kind == "malformed" else upstream.whole(said)
        if fail is not None and fail.kind == "cut":
            return CannedReply([body[: len(body) // 2]], sleep=self._sleep, failure=_cut())
        return CannedReply([body], sleep=self._sleep)

    async def _streams(self, behaviour: Behaviour, call: Call, said: upstream.Said, fail: Fail | None, usage: bool) -> Reply:
        await self._passes(self._wait(behaviour, call), call.timeout)
        events = upstream.events(said, usage=usage)
        if fail is not None:
            events = [b"data: {not json\n\n"] if fail.kind == "malformed" else events[: max(len(events) // 2, 2)]
        return CannedReply(
            events,
            sleep=self._sleep,
            headers=_EVENTS,
            pause=self._pause(behaviour),
            failure=_cut() if fail is not None and fail.kind == "cut" else None,
        )

    async def _embeds(self, behaviour: Behaviour, call: Call, asked: upstream.Asked) -> Reply:
        await self._passes(self._wait(behaviour, call), call.timeout)
        inputs = asked.input if isinstance(asked.input, list) else [asked.input]
        inputs = [inputs] if inputs and isinstance(inputs[0], int) else inputs
        vectors = [embedding(self.script.seed, item, asked.dimensions or 16) for item in inputs]
        tokens = sum(len(item) // (4 if isinstance(item, str) else 1) + 1 for item in inputs)
        return CannedReply([upstream.embeddings(call.model.upstream, vectors, tokens, asked.encoding_format)], sleep=self._sleep)

    async def _fails(self, fail: Fail, call: Call) -> Reply:
        if fail.kind == "connect":
            raise ProviderFailure("connect", "scripted: nobody listens")
        if fail.kind in ("timeout", "idle"):
            await self._passes(call.timeout + 1, call.timeout, scripted=True)
        headers = {} if fail.retry_after is None else {"retry-after": f"{fail.retry_after:g}"}
        return self._error(fail.kind, f"scripted: {fail.kind}", headers)

    async def _falls_silent(self, _fail: Fail, call: Call) -> Reply:
        """A stream that begins, says nothing for as long as the spec lets it, and is given up."""
        first, *_ = upstream.events(upstream.Said("chatcmpl-idle", call.model.upstream, ("",), 0, 0), usage=False)
        silence = ProviderFailure("idle", f"scripted: silent for {self._idle:g} s")
        pause = 0.0 if self.script.latency == "none" else self._idle
        return CannedReply([first, b": \n\n"], sleep=self._sleep, headers=_EVENTS, pause=pause, failure=silence)

    def _error(self, kind: str, message: str, headers: dict[str, str] | None = None) -> Reply:
        status, word, code = _ERRORS[kind]
        headers = {"content-type": "application/json", **(headers or {})}
        return CannedReply([upstream.error(message, word, code)], sleep=self._sleep, status=status, headers=headers)

    def _strikes(self, behaviour: Behaviour, call: Call, number: int) -> Fail | None:
        for index, fail in enumerate(behaviour.failures):
            within = fail.first <= number and (fail.last is None or number <= fail.last)
            if within and draw(self.script.seed, "fail", index, call.model.upstream, call.request_id) < fail.rate:
                return fail
        return None

    async def _passes(self, seconds: float, timeout: float, *, scripted: bool = False) -> None:
        """Lets `seconds` of the script pass; raises the time-out when that is longer than the call may take."""
        late = seconds > timeout
        if self.script.latency == "real" and seconds > 0:
            await self._sleep(min(seconds, timeout))
        if late and (scripted or self.script.latency == "real"):
            raise ProviderFailure("timeout", f"scripted: no answer within {timeout:g} s")

    def _wait(self, behaviour: Behaviour, call: Call) -> float:
        """Seconds to the first token."""
        sway = (draw(self.script.seed, "jitter", call.model.upstream, call.request_id) * 2 - 1) * behaviour.jitter
        return behaviour.ttft * (1 + sway) * self.script.time_scale

    def _pause(self, behaviour: Behaviour) -> float:
        """Seconds between two tokens."""
        return 0.0 if self.script.latency == "none" else self.script.time_scale / behaviour.tokens_per_second

    def _said(self, behaviour: Behaviour, call: Call, asked: upstream.Asked) -> upstream.Said:
        prompt, model, seed = asked.prompt, call.model.upstream, self.script.seed
        right = self.script.is_able(model, prompt, call.request_id)
        value = self.script.expected(prompt) if right else wrong(self.script.expected(prompt))
        lacking = not right and draw(seed, "lacking", prompt) < 0.5
        pieces: tuple[str, ...] = ()
        tool, structured = None, asked.schema is not None  # JSON has few spaces: its tokens are counted by its letters
        if asked.calls_tool:
            tool = (asked.function.name, object_after(asked.function.parameters, value, lacking=lacking))
        elif asked.schema is not None:
            pieces = words(object_after(asked.schema, value, lacking=lacking))
        else:
            pieces = sentence(f"{seed}/{prompt}", value, behaviour.output)
        finish = "stop" if tool is None else "tool_calls"
        if asked.limit and len(pieces) > asked.limit:
            pieces, finish = pieces[: asked.limit], "length"
        choices = max(asked.n or 1, 1)
        identity = hashlib.blake2b(f"{seed}/{call.request_id}/{model}/{prompt}".encode("utf-8", "replace"), digest_size=12)
        return upstream.Said(
            id=f"chatcmpl-{identity.hexdigest()}",
            model=model,
            pieces=pieces,
            input_tokens=asked.input_tokens,
            output_tokens=choices * (max(len(pieces), sum(map(len, pieces)) // 4 * structured) if tool is None else 8 + len(tool[1]) // 4),
            tool=tool,
            finish=finish,
            n=choices,
        )


def _cut() -> ProviderFailure:
    return ProviderFailure("cut", "scripted: the answer was cut off")
