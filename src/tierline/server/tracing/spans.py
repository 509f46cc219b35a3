"""A finished trace as spans.

    request ─┬─ tool, prepare step, classifier     one span for each call before the first attempt
             ├─ attempt ─── judge                  one for each attempt, and beneath it what its validators asked
             └─ attempt …                          fallback, escalation, hedge, branch: side by side
    shadow ──── …                                  a trace of its own, linked to the request's

They hold names, counts and times, and no text of a prompt or an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from tierline.config.loaded import Loaded
from tierline.gateway.trace import Begun, Finished, Trace, new_span
from tierline.routing.explain import short
from tierline.server.tracing import words
from tierline.types.outcome import NO_USAGE, Aside, Usage
from tierline.types.record import Record, Tried

Value = str | bool | int | float | tuple[str, ...]
MOVES = {"fallback", "escalation", "retry", "hedge"}
"""Causes of an attempt that the request's own span tells as an event."""


class Event(msgspec.Struct, frozen=True):
    """Something that happened inside a span, at a Unix time in nanoseconds."""

    name: str
    at: int
    attributes: Mapping[str, Value] = {}


class Span(msgspec.Struct, frozen=True):
    """One span, as plain data. Times are Unix nanoseconds; `parent` is 0 where there is none; `links` are pairs of trace and span."""

    name: str
    kind: Literal["server", "client", "internal"]
    trace_id: int
    span_id: int
    parent: int
    start: int
    end: int
    attributes: Mapping[str, Value]
    events: tuple[Event, ...] = ()
    error: str = ""
    failed: bool = False
    links: tuple[tuple[int, int], ...] = ()
    state: str = ""
    remote: bool = False


def spans_of(done: Finished) -> list[Span]:
    """The spans of a finished trace; the request's own comes first."""
    if done.shadowed is not None:
        return list(_shadow(done))
    if done.record is None:
        return [_refused(done)]
    return list(_Request(done, done.record).spans())


class _Clock:
    """Readings of `perf_counter` as Unix nanoseconds."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __call__(self, at: float) -> int:
        return self._trace.unix_ns + int((at - self._trace.started) * 1e9)


class _Calls:
    """What the trace noted of calls, to be found again by number or, in their order, by purpose and target."""

    def __init__(self, begun: Sequence[Begun]) -> None:
        self._attempts = {call.number: call for call in begun if call.number}
        self._asides = [call for call in begun if not call.number]

    def attempt(self, number: int) -> Begun | None:
        return self._attempts.get(number)

    def aside(self, aside: Aside) -> Begun | None:
        """The call that an aside tells of; None where none was made."""
        for place, call in enumerate(self._asides):
            if call.purpose == aside.purpose and call.target == aside.target:
                return self._asides.pop(place)
        return None


class _Request:
    """The spans of one request that has a row."""

    def __init__(self, done: Finished, record: Record) -> None:
        self._done, self._record, self._trace = done, record, done.trace
        self._unix = _Clock(done.trace)
        self._calls = _Calls(done.trace.begun)
        self._operation = "embeddings" if "embeddings" in record.features.needs else "chat"
        self._events: list[Event] = []

    def spans(self) -> Iterator[Span]:
        below = [*self._before(), *self._attempts()]
        yield self._root()
        yield from below

    def _root(self) -> Span:
        record, done = self._record, self._done
        known = dict(_of_request(record, done.finish))
        return _own(done, {words.OPERATION: self._operation, **known}, tuple(self._events))

    def _before(self) -> Iterator[Span]:
        """Tools, prepare steps and the classifier: one after the other, from the start."""
        at = self._trace.started
        for aside in self._record.asides:
            begun = self._calls.aside(aside)
            start = at if begun is None else begun.at
            yield self._aside(aside, begun, start, self._trace.span_id)
            at = start + aside.elapsed

    def _attempts(self) -> Iterator[Span]:
        at, before = self._trace.started, ""
        for number, tried in enumerate(self._record.tried, 1):
            begun = self._calls.attempt(number)
            start = at if begun is None else begun.at
            at = max(at, start + tried.elapsed)
            if tried.cause in MOVES:
                self._events.append(
                    Event(f"tierline.{tried.cause}", self._unix(start), {"tierline.from": before, "tierline.to": tried.target})
                )
            if number - 1 == self._record.winner and tried.ttft is not None:
                self._events.append(Event(words.FIRST_CONTENT, self._unix(start + tried.ttft), {"tierline.model": tried.target}))
            yield from self._attempt(number, tried, begun, start)
            before = tried.target

    def _attempt(self, number: int, tried: Tried, begun: Begun | None, start: float) -> Iterator[Span]:
        span_id = new_span() if begun is None else begun.span_id
        end = self._unix(start + tried.elapsed)
        attributes: dict[str, Value] = {
            words.OPERATION: self._operation,
            **dict(_of_model(self._done.loaded, tried.target, tried.endpoint)),
            **dict(_of_usage(tried.usage)),
            "tierline.attempt": number,
            "tierline.cause": tried.cause,
            "tierline.cost_usd": tried.cost - sum(aside.cost for aside in tried.asides),
        }
        if tried.served_model:
            attributes[words.RESPONSE_MODEL] = tried.served_model
        if tried.status:
            attributes[words.STATUS] = tried.status
        events = []
        if tried.ttft is not None:
            attributes[words.FIRST_CHUNK] = tried.ttft
            events.append(Event(words.FIRST_CONTENT, self._unix(start + tried.ttft)))
        for verdict in tried.verdicts:
            said: dict[str, Value] = {words.EVALUATION: verdict.validator, words.SCORE_LABEL: "pass" if verdict.passed else "fail"}
            if verdict.score is not None:
                said[words.SCORE_VALUE] = verdict.score
            events.append(Event(words.EVALUATED, end, said))
        name = f"{self._operation} {attributes.get(words.REQUEST_MODEL, tried.target)}" if tried.target else tried.cause
        kind: Literal["client", "internal"] = "client" if tried.target else "internal"
        trace = self._trace
        yield Span(
            name, kind, trace.trace_id, span_id, trace.span_id, self._unix(start), end, attributes, tuple(events), tried.error, not tried.ok
        )
        at = start
        for aside in tried.asides:
            call = self._calls.aside(aside)
            at = at if call is None else call.at
            yield self._aside(aside, call, at, span_id)
            at += aside.elapsed

    def _aside(self, aside: Aside, begun: Begun | None, start: float, parent: int) -> Span:
        span_id = new_span() if begun is None else begun.span_id
        attributes: dict[str, Value] = {"tierline.purpose": aside.purpose, "tierline.cost_usd": aside.cost, **dict(_of_usage(aside.usage))}
        if aside.purpose == "tool":
            attributes |= {words.OPERATION: "execute_tool", words.TOOL_NAME: aside.target, "tierline.hit": aside.ok}
            failed, name = not aside.ok and aside.error != "miss", f"execute_tool {aside.target}"
        else:
            attributes |= {words.OPERATION: "chat", **dict(_of_model(self._done.loaded, aside.target, ""))}
            failed, name = not aside.ok, f"{aside.purpose} {aside.target}"
        error, unix, trace = aside.error if failed else "", self._unix, self._trace
        end = unix(start + aside.elapsed)
        return Span(name, "client", trace.trace_id, span_id, parent, unix(start), end, attributes, (), error, failed)


def _own(done: Finished, attributes: Mapping[str, Value], events: tuple[Event, ...] = ()) -> Span:
    """The request's own span, child of its caller's."""
    trace, parent = done.trace, done.trace.parent
    method, _, path = trace.name.partition(" ")
    told: dict[str, Value] = {words.METHOD: method, words.ROUTE: path, words.STATUS: done.status, **attributes}
    unix, above = _Clock(trace), 0 if parent is None else parent.span_id
    return Span(
        trace.name,
        "server",
        trace.trace_id,
        trace.span_id,
        above,
        trace.unix_ns,
        unix(done.end),
        told,
        events,
        done.error,
        done.status >= 500,
        state="" if parent is None else parent.state,
        remote=parent is not None,
    )


def _refused(done: Finished) -> Span:
    return _own(done, {})


def _shadow(done: Finished) -> Iterator[Span]:
    """An answer beside: one span, and beneath it what was asked about it."""
    trace, row = done.trace, done.shadowed
    assert row is not None
    unix, beside = _Clock(trace), trace.beside
    attributes: dict[str, Value] = {
        words.OPERATION: "chat",
        **dict(_of_model(done.loaded, row.model, "")),
        **dict(_of_usage(row.usage)),
        "tierline.decision.id": row.request_id,
        "tierline.route": row.route,
        "tierline.task": row.task,
        "tierline.cause": "shadow",
        "tierline.cost_usd": row.cost,
        **({"tierline.judgement": row.judgement} if row.judgement else {}),
    }
    links = () if beside is None else ((beside.trace_id, beside.span_id),)
    yield Span(
        f"shadow {row.model}",
        "internal",
        trace.trace_id,
        trace.span_id,
        0,
        trace.unix_ns,
        unix(done.end),
        attributes,
        (),
        row.error,
        not row.ok,
        links,
    )
    at = [call.at for call in trace.begun] + [done.end]
    for place, call in enumerate(trace.begun):
        end = call.at + row.elapsed if call.number else max(at[place + 1], call.at)
        name, target = ("chat", row.model) if call.number else (call.purpose, call.target)
        known = {words.OPERATION: "chat", **dict(_of_model(done.loaded, target, ""))}
        yield Span(f"{name} {target}", "client", trace.trace_id, call.span_id, trace.span_id, unix(call.at), unix(end), known)


def _of_request(record: Record, finish: str) -> Iterator[tuple[str, Value]]:
    """What is told of the whole request."""
    decision, features = record.decision, record.features
    yield words.REQUEST_MODEL, features.hints.model or f"auto/{decision.route}"
    yield words.STREAM, features.stream
    if finish:
        yield words.FINISH_REASONS, (finish,)
    yield "tierline.decision.id", decision.request_id
    yield "tierline.route", decision.route
    yield "tierline.task", decision.task
    yield "tierline.tier", decision.tier
    yield "tierline.model", record.model
    yield "tierline.why", f"answered by {record.answered}" if record.answered else short(decision)
    yield "tierline.policy", decision.policy
    yield "tierline.key", features.key
    yield "tierline.attempts", len(record.tried)
    yield "tierline.cost_usd", record.cost
    yield "tierline.overhead_seconds", record.overhead
    yield "tierline.propensity", decision.propensity
    for name, told in (("arm", decision.arm), ("stopped", record.stopped), ("tool", record.answered)):
        if told:
            yield f"tierline.{name}", told
    yield "tierline.flagged", record.flagged
    yield "tierline.truncated", record.truncated


def _of_usage(usage: Usage) -> Iterator[tuple[str, Value]]:
    if usage != NO_USAGE:
        yield words.INPUT_TOKENS, usage.input
        yield words.OUTPUT_TOKENS, usage.output
    for name, tokens in ((words.CACHE_READ, usage.cached), (words.CACHE_CREATION, usage.cache_written), (words.REASONING, usage.reasoning)):
        if tokens:
            yield name, tokens


def _of_model(loaded: Loaded | None, name: str, door: str) -> Iterator[tuple[str, Value]]:
    """What is told of the model that was called, and of where it is."""
    model = None if loaded is None else loaded.models.get(name)
    if loaded is None or model is None:
        return
    endpoint = loaded.providers[model.provider]
    host, port = words.place_of(next((way.base_url for way in endpoint.doors if way.name == door), endpoint.base_url))
    yield words.REQUEST_MODEL, model.upstream
    yield words.PROVIDER, words.provider_of(host, model.provider)
    yield "tierline.model", name
    yield "tierline.tier", model.tier
    if door:
        yield "tierline.door", door
    if host:
        yield words.SERVER_ADDRESS, host
        yield words.SERVER_PORT, port
