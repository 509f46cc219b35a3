"""Prepare: steps on a small model before a request is decided on: moderate it, sum up its history, rewrite its question.

Each is an ask like any other: charged to the request, logged as an aside, held to governance and to the request's deadline. One that fails
leaves the request as it is; only a moderation that is told to (`on_failure: block`) blocks what it could not look at.

The prepared request is the client's own, with only those fields changed that hold what a step has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import PrepareSpec
from tierline.gateway.ask import Asker
from tierline.gateway.prepare_steps import REASONS, STEPS, Blocked, Unusable, kind_of
from tierline.interfaces import Dialect
from tierline.types.catalog import Model
from tierline.types.conversation import Conversation
from tierline.types.errors import BadRequest, ContentBlocked
from tierline.types.outcome import Aside
from tierline.types.request import Request

Fields = dict[str, msgspec.Raw]

_fields = msgspec.json.Decoder(Fields)


class Prepared(msgspec.Struct, frozen=True):
    """What came of it: the request to decide on (the very one that was given where nothing was changed), every call that was made, and the
    seconds they took. `blocked` where it is not to be answered; `cancelled`: the client went away meanwhile."""

    request: Request
    asides: tuple[Aside, ...] = ()
    elapsed: float = 0.0
    blocked: ContentBlocked | None = None
    cancelled: bool = False


class Preparations:
    """The steps of every route of one spec; a route without any is not in it."""

    def __init__(self, loaded: Loaded) -> None:
        self._routes = {name: tuple(route.prepare) for name, route in loaded.spec.routes.items() if route.prepare}

    def of(self, request: Request) -> Sequence[PrepareSpec]:
        """The steps for an admitted request. A client that names a model or a tier is moderated, but its words are left as they are."""
        steps = self._routes.get(request.route, ())
        if not steps or request.kind != "chat":
            return ()
        named = request.hints.model or request.hints.tier
        return [step for step in steps if step.moderate] if named else steps


async def prepare(
    steps: Sequence[PrepareSpec],
    request: Request,
    dialect: Dialect,
    asker: Asker,
    tokens: Callable[[Request], int],
    left: float,
    money: float | None,
) -> Prepared:
    """Take a request through its steps within `left` seconds and `money` USD. `tokens` counts those of a request. Never raises."""
    asides: list[Aside] = []
    started = perf_counter()
    now, count = request, tokens(request)
    for step in steps:
        if count <= step.above:
            continue
        rest = None if money is None else money - sum(aside.cost for aside in asides)
        try:
            changed = await _taken(step, now, dialect, asker, asides, left - (perf_counter() - started), rest)
        except asyncio.CancelledError:
            return Prepared(now, tuple(asides), perf_counter() - started, cancelled=True)
        except Blocked as verdict:
            error = ContentBlocked(f"the request was blocked before any model answered it: {REASONS[verdict.category]}")
            asides[-1] = msgspec.structs.replace(asides[-1], error=error.code, detail=verdict.category)
            return Prepared(now, tuple(asides), perf_counter() - started, error)
        except _Failed:
            if step.on_failure == "block":
                error = ContentBlocked("the request was blocked before any model answered it: it could not be moderated")
                asides[-1] = msgspec.structs.replace(asides[-1], error=error.code)
                return Prepared(now, tuple(asides), perf_counter() - started, error)
            continue
        if changed is not now:
            now, count = changed, tokens(changed)
    return Prepared(now, tuple(asides), perf_counter() - started)


class _Failed(Exception):
    """A step did not do its work; the last aside says why."""


async def _taken(
    step: PrepareSpec, request: Request, dialect: Dialect, asker: Asker, asides: list[Aside], left: float, money: float | None
) -> Request:
    """The request after one step, the very same where it changed nothing; raises _Failed and Blocked."""
    kind = kind_of(step)
    purpose, does = f"prepare/{kind}", STEPS[kind]
    try:
        conversation = dialect.expand(request)
        ask = does.ask(step, conversation)
    except BadRequest as error:
        asides.append(Aside(purpose, getattr(step, kind), ok=False, error="bad_request", detail=error.message))
        raise _Failed from None
    if ask is None:
        return request
    told = await asker.told(ask, purpose, asides, left=left, money=money)
    if not told.ok:
        raise _Failed
    try:
        changed = does.use(step, conversation, told.text)
        return request if changed is conversation else rebuilt(request, conversation, changed, dialect)
    except (Unusable, BadRequest) as error:
        asides[-1] = msgspec.structs.replace(asides[-1], ok=False, error="malformed", detail=str(error))
        raise _Failed from None


def rebuilt(request: Request, before: Conversation, after: Conversation, dialect: Dialect) -> Request:
    """The client's request with what changed between two of its conversations; every other field is as the client sent it. Raises
    BadRequest."""
    model = Model(name=request.model, tier="", provider="", upstream=request.model)
    old, new = (_fields.decode(dialect.render_body(conversation, model).body) for conversation in (before, after))
    changed = {name: value for name, value in new.items() if bytes(old.get(name, b"")) != bytes(value)}
    gone = old.keys() - new.keys()
    kept = {name: value for name, value in request.raw.items() if name not in gone}
    parsed = dialect.parse(msgspec.json.encode({**kept, **changed}), request.kind)
    return msgspec.structs.replace(
        parsed,
        id=request.id,
        model=request.model,
        stream=request.stream,
        route=request.route,
        key=request.key,
        hints=request.hints,
        sensitivity=request.sensitivity,
        redacted=request.redacted,
    )
