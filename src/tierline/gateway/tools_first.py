"""Tools first: what a route asks before any model, and what becomes of an answer that one of them has.

Every tool has a time of its own inside the request's deadline; one that hangs, throws or does not know leaves the request to the next
one, and at last to the models. A client that names a model or a tier gets that, and no tool is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from time import perf_counter

import msgspec

from tierline import plugins
from tierline.config.loaded import Loaded
from tierline.config.spec import AllowSpec, SourceSpec
from tierline.config.tools_first import Tool, tools_of
from tierline.dialects.events import Joining, events_of
from tierline.gateway.downstream import Downstream, Opening
from tierline.interfaces import Answerer, Dialect, Remembers
from tierline.types.ask import Hit
from tierline.types.completion import Broken, Completion, CompletionChoice, Ended
from tierline.types.conversation import Text
from tierline.types.errors import AnswererFailure, BadRequest, BudgetSpent, ContentBlocked, ProviderFailure
from tierline.types.features import Features
from tierline.types.outcome import Answer, Aside, Result, Usage
from tierline.types.request import Request

NOTHING_USED = Usage(estimated=True)
"""No tokens, and said so: a usage that is all zeros and not marked would be left out."""

MAX_HEARD = 1024 * 1024
"""Bytes of a stream that a cache takes; a longer answer is not kept."""

_ASK_AT_LEAST = 0.001
"""Seconds that must be left of the deadline for a tool to be asked."""


class Asked(msgspec.Struct, frozen=True):
    """One tool of a route and the seconds it may take; `service` where what it is asked leaves the process."""

    tool: Answerer
    timeout: float
    service: SourceSpec | None = None


class Found(msgspec.Struct, frozen=True):
    """What came before the first attempt: every tool and small model that was asked, the seconds they took, and the answer of the last
    tool where it had one. `blocked` where a step says that nothing is to answer, `refused` where there is no money for it; `cancelled`: the
    client went away meanwhile."""

    asides: tuple[Aside, ...] = ()
    elapsed: float = 0.0
    by: str = ""
    answer: Completion | None = None
    cancelled: bool = False
    blocked: ContentBlocked | None = None
    refused: BudgetSpent | None = None

    @property
    def ends_it(self) -> bool:
        """Whether no model is needed, or wanted, any more."""
        return self.answer is not None or self.cancelled or self.blocked is not None or self.refused is not None

    @property
    def cost(self) -> float:
        """USD of all of them."""
        return sum(aside.cost for aside in self.asides) if self.asides else 0.0


NOT_ASKED = Found()


class ToolsFirst:
    """The tools of every route of one spec; a route without any is not in it."""

    def __init__(self, loaded: Loaded) -> None:
        """Raises TierlineError where a tool cannot be made."""
        routes = {name: tools_of(route.tools_first) for name, route in loaded.spec.routes.items() if route.tools_first}
        kinds = plugins.find_all("answerers", {tool.kind for tools in routes.values() for tool in tools})
        self._routes = {
            name: tuple([Asked(kinds[tool.kind](tool.settings, loaded), tool.timeout, _service(tool, loaded)) for tool in tools])
            for name, tools in routes.items()
        }
        self._rules = loaded.spec.governance.rules
        self.governed = any(rule.allow.residency or rule.allow.region for rule in self._rules)

    def of(self, request: Request) -> Sequence[Asked]:
        """The tools that an admitted request is put to, in their order."""
        tools = self._routes.get(request.route, ())
        if not tools or request.kind != "chat" or request.hints.model or request.hints.tier:
            return ()
        return tools

    def allowed(self, tools: Sequence[Asked], rules: Collection[int]) -> Sequence[Asked]:
        """Those that may be asked while these governance rules hold: a service must be where each of them wants the data to be."""
        allows = [self._rules[number].allow for number in rules]
        return [asked for asked in tools if asked.service is None or all(_inside(asked.service, allow) for allow in allows)]

    async def close(self) -> None:
        """Let go of what they hold."""
        for tools in self._routes.values():
            for asked in tools:
                await asked.tool.close()


def _service(tool: Tool, loaded: Loaded) -> SourceSpec | None:
    return loaded.spec.sources.get(str(tool.settings.get("http"))) if tool.kind == "http" else None


def _inside(service: SourceSpec, allow: AllowSpec) -> bool:
    def fits(given: str, wanted: str | list[str]) -> bool:
        return not wanted or given in ([wanted] if isinstance(wanted, str) else wanted)

    return fits(service.residency, allow.residency) and fits(service.region, allow.region)


async def ask_tools(tools: Sequence[Asked], request: Request, features: Features, deadline: float) -> Found:
    """Put a request to each tool in turn, until one answers, for at most `deadline` seconds together. Never raises."""
    asides: list[Aside] = []
    started = perf_counter()
    for asked in tools:
        began = perf_counter()
        left = deadline - (began - started)
        if left < _ASK_AT_LEAST:
            break
        hit: Hit | None = None
        error, detail, cancelled = "miss", "", False
        try:
            async with asyncio.timeout(min(asked.timeout, left)):
                hit = await asked.tool.answer(request, features)
        except asyncio.CancelledError:
            error, cancelled = "cancelled", True
        except TimeoutError:
            error = "timeout"
        except AnswererFailure as failure:
            error, detail = "failed", failure.message
        except Exception as failure:
            error, detail = "failed", type(failure).__name__
        asides.append(_aside(asked.tool.name, perf_counter() - began, hit, error, detail))
        if cancelled:
            return Found(tuple(asides), perf_counter() - started, cancelled=True)
        if hit is not None:
            return Found(tuple(asides), perf_counter() - started, asked.tool.name, _completion(hit, request))
    return Found(tuple(asides), perf_counter() - started)


def _aside(name: str, elapsed: float, hit: Hit | None, error: str, detail: str) -> Aside:
    if hit is not None:
        return Aside("tool", name, True, elapsed=elapsed, detail=hit.detail)
    return Aside("tool", name, False, elapsed=elapsed, error=error, detail=detail)


def _completion(hit: Hit, request: Request) -> Completion:
    """A hit as an answer of its own: its id is new, and it took no tokens."""
    choices = (CompletionChoice((Text(hit.text),)),) if hit.answer is None else hit.answer.choices
    by = request.dialect if hit.answer is None else hit.answer.by
    return Completion(by, "", request.model, choices, NOTHING_USED, int(time.time()))


def rendered(answer: Completion, dialect: Dialect, request: Request) -> Answer:
    """A hit as the client's whole answer."""
    words = "".join([part.text for part in answer.choices[0].parts if isinstance(part, Text)])
    return Answer(dialect.name, dialect.render_completion(answer, request), words, served_model="")


async def streamed(answer: Completion, dialect: Dialect, request: Request, client: Downstream, opening: Opening) -> None:
    """Send a hit as the client's stream; raises ClientGone."""
    encoder = dialect.encoder(request)
    events = b"".join([encoder.encode(event) for event in events_of(answer, MAX_HEARD)])
    client.begin(opening)
    await client.send(events)


def overheard(tools: Sequence[Asked], client: Downstream | None, shadows: Sequence[str] = ()) -> Overheard | None:
    """What listens to a stream for the tools that learn from it, and where shadows are to be compared with it; None where nobody does,
    or nothing is streamed."""
    wanted = client is not None and (shadows or any(isinstance(asked.tool, Remembers) for asked in tools))
    return Overheard(client) if client is not None and wanted else None


def remember(tools: Sequence[Asked], request: Request, dialect: Dialect, result: Result, heard: Overheard | None) -> None:
    """Give an answer that was accepted, whole and not flagged to the tools that learn."""
    outcome = result.outcome
    learning = [asked.tool for asked in tools if isinstance(asked.tool, Remembers)]
    if not learning or outcome is None or not outcome.accepted or result.flagged or result.truncated:
        return
    body = b"" if outcome.answer is None else outcome.answer.body
    try:
        whole = dialect.read_completion(body) if heard is None else heard.completion(dialect)
    except (ProviderFailure, BadRequest):
        return
    if whole is not None:
        for tool in learning:
            tool.keep(request, whole)


def with_headers(request: Request, headers: Sequence[tuple[str, str]]) -> Request:
    """The request with the client's headers that upstreams read among its fields, since they can change an answer too."""
    if not headers:
        return request
    told: Mapping[str, bytes] = {f"header:{name}": value.encode() for name, value in headers}
    return msgspec.structs.replace(request, raw={**request.raw, **told})


class Overheard:
    """Passes a stream on and keeps a copy, up to `MAX_HEARD` bytes."""

    __slots__ = ("_client", "_heard", "_too_long")

    def __init__(self, client: Downstream) -> None:
        self._client = client
        self._heard = bytearray()
        self._too_long = False

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""
        self._client.begin(opening)

    async def send(self, data: bytes) -> None:
        """Keep a copy, and send on."""
        self._too_long = self._too_long or len(self._heard) + len(data) > MAX_HEARD
        if not self._too_long:
            self._heard += data
        await self._client.send(data)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return len(self._heard)

    def completion(self, dialect: Dialect) -> Completion | None:
        """The answer that came; None where it was too long, or did not end as a stream of the dialect does."""
        if self._too_long or not self._heard:
            return None
        decoder = dialect.decoder()
        events = [*decoder.feed(bytes(self._heard)), *decoder.finished()]
        if any(isinstance(event, Broken) for event in events) or not any(isinstance(event, Ended) for event in events):
            return None
        joining = Joining(dialect.name)
        for event in events:
            joining.take(event)
        return joining.completion()
