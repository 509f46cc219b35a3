"""A record as a row, and back: `decode(encode(record)) == record`, for every row that any release ever wrote.

What stands in a plain column is not stored twice: the blobs are MessagePack arrays of the rest. The stored forms below
(`_Features`, `_Decision`, …) are therefore append-only: a new field goes to the end and has a default; a field that is gone
keeps its place. Reasons and the words of a small vocabulary are stored as numbers by the append-only lists `WHYS`, `DROPS` and `WORDS`,
or as they are where they have no number yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from tierline.types.ask import CLASSIFY
from tierline.types.decision import Combine, Decision, Drop, Dropped, Reason, Step, Why
from tierline.types.features import Complexity, Features
from tierline.types.hints import NO_HINTS, Hints
from tierline.types.outcome import Aside
from tierline.types.record import Record, Tried
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, Latency, View

WHYS = (
    Why.NAMED_MODEL,
    Why.NAMED_TIER,
    Why.PINNED,
    Why.PIN_UNUSABLE,
    Why.RULE,
    Why.EXPLORED,
    Why.TASK_GIVEN,
    Why.TASK_RULE,
    Why.TASK_SCORED,
    Why.TASK_UNSURE,
    Why.DIFFICULTY,
    Why.ONLY_ONE,
    Why.CHEAPEST_ABOVE_BAR,
    Why.NONE_ABOVE_BAR,
    Why.STATIC,
    Why.BY_DIFFICULTY,
    Why.FASTEST,
    Why.BEST_WITHIN_BUDGET,
    Why.BEST_QUALITY,
    Why.WEIGHTED,
    Why.ASSUMED_QUALITY,
    Why.LAST_RESORT,
    Why.NOTHING_ELIGIBLE,
    Why.RULE_UNUSABLE,
    Why.LIMITS_LIFTED,
    Why.OUTSIDE_TASK,
    Why.SESSION_KEPT,
    Why.SESSION_HELD,
    Why.SESSION_LEFT,
    Why.LOAD_SHIFTED,
    Why.LEAST_BAD,
    Why.COMBINED,
    Why.COMBINE_TOO_DEAR,
    Why.HEDGED,
    Why.COMBINE_TOO_FEW,
    Why.TASK_ASKED,
    Why.ASKED_IN_VAIN,
    Why.BUDGET_CHEAPEST,
    Why.PACE_AHEAD,
    Why.PACE_BEHIND,
    Why.REDACTED,
    Why.GOVERNANCE_FORCED,
    Why.GOVERNANCE_REFUSED,
    Why.ARM,
    Why.ARM_LEFT,
)
"""The number of each reason is its place here. Append-only."""

DROPS = (
    Drop.CAPABILITY,
    Drop.CONTEXT,
    Drop.GOVERNANCE,
    Drop.KEY,
    Drop.RESTING,
    Drop.CONCURRENCY,
    Drop.LATENCY,
    Drop.PRICE,
    Drop.BUDGET,
    Drop.RATE,
)
"""The number of each cause of a drop is its place here. Append-only."""

WORDS = (
    "chat",
    "embeddings",
    "tools",
    "vision",
    "audio",
    "documents",
    "json_object",
    "json_schema",
    "reasoning",
    "logprobs",
    "synthesis",
    "generation",
    "classification",
    "extraction",
    "embedding",
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
)
"""Capabilities, kinds of work and dialects, by number. Append-only."""

_WHY_NUMBER: Mapping[Why, int] = {why: number for number, why in enumerate(WHYS)}
_DROP_NUMBER: Mapping[Drop, int] = {drop: number for number, drop in enumerate(DROPS)}
_NUMBER: Mapping[str, int] = {word: number for number, word in enumerate(WORDS)}
_number = _NUMBER.get

_Word = int | str

NOTHING_STORED = msgspec.Raw(b"\x80")
"""An empty mapping as it is stored: hints where there are none, signals and matches without a hit."""


class _Features(msgspec.Struct, frozen=True, array_like=True):
    """Stored form of `Features`. `request_id`, `route` and `draw` are None where they equal the decision's; the rest is in columns."""

    request_id: str | None = None
    route: str | None = None
    draw: float | None = None
    dialect: _Word = ""
    hints: Hints = NO_HINTS
    operations: tuple[_Word, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    needs: tuple[_Word, ...] = (0,)
    turns: int = 1
    questions: int = 0
    code: bool = False
    parts: Mapping[str, float] = {}
    prompt_fingerprint: str = ""
    sensitivity: tuple[str, ...] = ()
    signals: Mapping[str, int] = {}
    matches: Mapping[str, int] = {}
    stream: bool = False
    session: str = ""
    tool_loop: bool = False
    tool_failures: int = 0
    sealed: bool = False
    key_models: tuple[str, ...] = ()
    key_task: str = ""
    redacted: tuple[str, ...] = ()


class _FeaturesHead(msgspec.Struct, frozen=True, array_like=True):
    """`_Features` for those who read in bulk: what few rows have, and what is compared as a whole, stays as it is stored."""

    request_id: str | None = None
    route: str | None = None
    draw: float | None = None
    dialect: _Word = ""
    hints: msgspec.Raw = NOTHING_STORED
    operations: tuple[_Word, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    needs: tuple[_Word, ...] = (0,)
    turns: int = 1
    questions: int = 0
    code: bool = False
    parts: msgspec.Raw = NOTHING_STORED
    prompt_fingerprint: str = ""
    sensitivity: tuple[str, ...] = ()
    signals: msgspec.Raw = NOTHING_STORED
    matches: msgspec.Raw = NOTHING_STORED
    stream: bool = False
    session: str = ""
    tool_loop: bool = False
    tool_failures: int = 0
    sealed: bool = False
    key_models: tuple[str, ...] = ()
    key_task: str = ""
    redacted: tuple[str, ...] = ()


class _Step(msgspec.Struct, frozen=True, array_like=True):
    """Stored form of `Step`."""

    tier: str = ""
    targets: tuple[str, ...] = ()
    validators: tuple[str, ...] = ()
    costs: tuple[float, ...] = ()
    windows: tuple[int, ...] = ()
    retries: int = 0
    lower: bool = False


class _Combine(msgspec.Struct, frozen=True, array_like=True):
    """Stored form of `Combine`."""

    by: Literal["agreement", "majority", "judge", "first_valid"]
    normalise: str = "auto"
    judge: str = ""
    cost: float = 0.0


class _Decision(msgspec.Struct, frozen=True, array_like=True):
    """Stored form of `Decision`; the rest is in columns."""

    steps: tuple[_Step, ...] = ()
    deadline: float = 60.0
    max_cost: float | None = None
    max_attempts: int = 4
    reasons: tuple[tuple[_Word, str, float | None, float | None], ...] = ()
    dropped: tuple[tuple[str, _Word, str, float | None, float | None], ...] = ()
    retries: int = 0
    backoff: float = 0.25
    hedge: float | None = None
    combine: _Combine | None = None
    refusals: str = ""
    stream: Literal["", "buffered", "optimistic"] = ""
    refusal_cost: float = 0.0
    lenient: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()


class _FirstCost(msgspec.Struct, frozen=True, array_like=True):
    """The first of a step's costs; the others are passed over."""

    usd: float = 0.0


class _StepHead(msgspec.Struct, frozen=True, array_like=True):
    """The head of `_Step`."""

    tier: str = ""
    targets: msgspec.Raw = msgspec.Raw()
    validators: msgspec.Raw = msgspec.Raw()
    costs: _FirstCost = _FirstCost()


class _FirstStep(msgspec.Struct, frozen=True, array_like=True):
    """The first step of a decision; the others are passed over."""

    step: _StepHead = _StepHead()


class _ReasonKind(msgspec.Struct, frozen=True, array_like=True):
    """The kind of a reason; what it is about is passed over."""

    why: _Word = 0


class _DecisionHead(msgspec.Struct, frozen=True, array_like=True):
    """The head of `_Decision`; what is dropped stays as it is stored."""

    first: _FirstStep = _FirstStep()
    deadline: msgspec.Raw = msgspec.Raw()
    max_cost: msgspec.Raw = msgspec.Raw()
    max_attempts: msgspec.Raw = msgspec.Raw()
    reasons: tuple[_ReasonKind, ...] = ()
    dropped: msgspec.Raw = msgspec.Raw()


class _StepsHead(msgspec.Struct, frozen=True, array_like=True):
    """The very head of `_Decision`."""

    first: _FirstStep = _FirstStep()


class _Scores(msgspec.Struct, frozen=True, array_like=True):
    """Stored form of `Scores`; the difficulty is in a column."""

    task: Mapping[str, float] = {}
    good: Mapping[str, float] = {}
    cost: Mapping[str, float] = {}
    latency: Mapping[str, float] = {}
    abstained: bool = False
    by: str = ""
    asked: str = ""


class _View(msgspec.Struct, frozen=True, array_like=True):
    """Stored form of `View`."""

    resting: Mapping[str, float] = {}
    load: Mapping[str, int] = {}
    latency: Mapping[str, Latency] = {}
    budgets: Mapping[str, float] = {}
    warm: str = ""
    pins: Mapping[str, str] = {}
    token_scale: Mapping[str, float] = {}
    pressure: Mapping[str, float] = {}
    ttft: Mapping[str, Latency] = {}
    pace: Mapping[str, float] = {}
    limited: Mapping[str, float] = {}
    arms: Mapping[str, float] = {}
    assigned: str = ""


_IN_TURN = (None, None, "", "", 0.0, (), ())
"""The end of a stored decision whose targets are asked in turn, with nothing beside."""

UNCHECKED, PASSED, FAILED = 0, 1, 2
"""The column `checked`: what the checks of the answer said."""

_ROOM = 256
"""Bytes that most blobs do not fill: there a blob need not grow while it is written."""

_NOTHING_SEEN = _View()

_encode_into = msgspec.msgpack.Encoder().encode_into
_read_features = msgspec.msgpack.Decoder(_Features).decode
stored_features = msgspec.msgpack.Decoder(_FeaturesHead).decode
stored_hints = msgspec.msgpack.Decoder(Hints).decode
"""The column `features` in the form in which it is stored: for those who read many rows and need little of each."""
_read_decision = msgspec.msgpack.Decoder(_Decision).decode
_read_head = msgspec.msgpack.Decoder(_DecisionHead).decode
_read_steps = msgspec.msgpack.Decoder(_StepsHead).decode
_read_scores = msgspec.msgpack.Decoder(_Scores).decode
_read_view = msgspec.msgpack.Decoder(_View).decode
_read_tried = msgspec.msgpack.Decoder(tuple[Tried, ...]).decode
_read_asides = msgspec.msgpack.Decoder(tuple[Aside, ...]).decode


def encode(record: Record) -> tuple[Any, ...]:
    """The values of `schema.COLUMNS`, in their order. Raises what the parts raise where a value has no stored form (a lone surrogate).

    Blobs are `bytearray` and flags are numbers, which SQLite's module takes as they are; for each `bytes` and `bool` it would look for
    an adapter first."""
    features, decision, scores, view, tried = record.features, record.decision, record.scores, record.view, record.tried
    winner = record.winner
    steps = decision.steps
    model, tier, first = "", "", ""
    if steps:
        tier, first = steps[0].tier, steps[0].targets[0] if steps[0].targets else ""
    cost = elapsed = 0.0
    tokens_in = tokens_out = cached = fallbacks = escalations = 0
    checked = UNCHECKED
    ttft = None
    for aside in record.asides:
        cost += aside.cost
        elapsed += aside.elapsed
        tokens_in += aside.usage.input
        tokens_out += aside.usage.output
    for index, attempt in enumerate(tried):
        usage = attempt.usage
        cost += attempt.cost
        tokens_in += usage.input
        tokens_out += usage.output
        cached += usage.cached
        fallbacks += attempt.cause == "fallback"
        escalations += attempt.cause == "escalation"
        if index == winner:
            model = attempt.target
            tier = _tier_of(steps, model, tier)
            ttft = None if attempt.ttft is None else elapsed + attempt.ttft
            if attempt.verdicts:
                checked = PASSED if all(verdict.passed for verdict in attempt.verdicts) else FAILED
        elapsed += attempt.elapsed + attempt.wait
    request_id, route, draw = decision.request_id, decision.route, decision.draw
    return (
        request_id,
        record.at,
        route,
        decision.task,
        features.key,
        features.team,
        tier,
        model,
        first,
        decision.policy,
        record.status,
        record.error,
        cost,
        tokens_in,
        tokens_out,
        cached,
        len(tried),
        fallbacks,
        escalations,
        elapsed + record.overhead,
        ttft,
        record.overhead,
        decision.propensity,
        decision.arm,
        draw,
        decision.margin,
        scores.difficulty,
        features.complexity.score,
        features.operation,
        features.language,
        winner,
        1 if record.flagged else 0,
        1 if record.truncated else 0,
        record.stopped,
        record.answered,
        checked,
        _features_blob(features, decision),
        None if scores is NO_SCORES else _blob(_scores_values(scores)),
        None if view is NO_VIEW else _blob(_view_values(view)),
        _decision_blob(decision),
        _blob([_tried_values(attempt) for attempt in tried]),
        _blob(record.asides) if record.asides else None,
    )


def _blob(values: Any) -> bytearray:
    """As it is stored."""
    blob = bytearray(_ROOM)
    _encode_into(values, blob)
    return blob


def _features_blob(features: Features, decision: Decision) -> bytearray:
    return _blob(
        (
            None if features.request_id == decision.request_id else features.request_id,
            None if features.route == decision.route else features.route,
            None if features.draw == decision.draw else features.draw,
            _number(features.dialect, features.dialect),
            features.hints,
            [*map(_number, features.operations, features.operations)],
            features.input_tokens,
            features.output_tokens,
            [*map(_number, features.needs, features.needs)],
            features.turns,
            features.questions,
            features.code,
            features.complexity.parts,
            features.prompt_fingerprint,
            features.sensitivity,
            features.signals,
            features.matches,
            features.stream,
            *_session_tail(features),
        )
    )


def _decision_blob(decision: Decision) -> bytearray:
    return _blob(
        (
            [_step_values(step) for step in decision.steps],
            decision.deadline,
            decision.max_cost,
            decision.max_attempts,
            [(_WHY_NUMBER.get(r.why, r.why), r.subject, r.value, r.limit) for r in decision.reasons],
            [(d.model, _DROP_NUMBER.get(d.why, d.why), d.subject, d.value, d.limit) for d in decision.dropped],
            *_course_tail(decision),
        )
    )


def _session_tail(features: Features) -> tuple[Any, ...]:
    """The fields that only a conversation has, or a key that the spec does not know; left out, they read as their defaults."""
    if features.key_models or features.key_task or features.redacted:
        later = (features.key_models, features.key_task, features.redacted)
        return (features.session, features.tool_loop, features.tool_failures, features.sealed, *later)
    if features.session or features.tool_loop or features.tool_failures or features.sealed:
        return (features.session, features.tool_loop, features.tool_failures, features.sealed)
    return ()


def _step_values(step: Step) -> tuple[Any, ...]:
    if step.lower:
        return (step.tier, step.targets, step.validators, step.costs, step.windows, step.retries, True)
    if step.windows or step.retries:
        return (step.tier, step.targets, step.validators, step.costs, step.windows, step.retries)
    return (step.tier, step.targets, step.validators, step.costs)


def _course_tail(decision: Decision) -> tuple[Any, ...]:
    """How the course is run; its end is left out where it is the plain one."""
    combine = decision.combine
    tail = (
        decision.hedge,
        None if combine is None else (combine.by, combine.normalise, combine.judge, combine.cost),
        decision.refusals,
        decision.stream,
        decision.refusal_cost,
        decision.lenient,
        decision.shadows,
    )
    return (decision.retries, decision.backoff) if tail == _IN_TURN else (decision.retries, decision.backoff, *tail)


def _scores_values(scores: Scores) -> tuple[Any, ...]:
    values = (scores.task, scores.good, scores.cost, scores.latency, scores.abstained, scores.by)
    return (*values, scores.asked) if scores.asked else values


def _view_values(view: View) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(view)
    if view.arms or view.assigned:
        return values
    return values[:-2] if view.pressure or view.ttft or view.pace or view.limited else values[:-6]


def _tried_values(tried: Tried) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(tried)
    return values if tried.endpoint or tried.wait or tried.asides else values[:-3]


class Row(Protocol):
    """A row by column name: a `sqlite3.Row` or a mapping."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of one column."""


def decode(row: Row) -> Record:
    """The record of a row, given by column name. Raises ValueError when a blob is not what a Tierline wrote."""
    scores, view = row["scores"], row["view"]
    return Record(
        at=row["at"],
        features=_features(row, _read_features(row["features"])),
        decision=_decision(row, _read_decision(row["decision"])),
        tried=_read_tried(row["tried"]),
        scores=NO_SCORES if scores is None else _scores(row, _read_scores(scores)),
        view=NO_VIEW if view is None else View(*msgspec.structs.astuple(_read_view(view))),
        winner=row["winner"],
        status=row["status"],
        error=row["error"],
        stopped=row["stopped"],
        flagged=bool(row["flagged"]),
        truncated=bool(row["truncated"]),
        overhead=row["overhead"],
        answered=row["answered"],
        asides=() if row["asides"] is None else _read_asides(row["asides"]),
    )


def asked(row: Row) -> tuple[Features, Scores, View]:
    """What a row was decided from, without the rest of it. Raises as `decode` does."""
    scores, view = row["scores"], row["view"]
    return (
        _features(row, _read_features(row["features"])),
        NO_SCORES if scores is None else _scores(row, _read_scores(scores)),
        NO_VIEW if view is None else View(*msgspec.structs.astuple(_read_view(view))),
    )


def asked_features(row: Row) -> Features:
    """The features of a row, without the rest of it. Raises as `decode` does."""
    return _features(row, _read_features(row["features"]))


def stored_scores(blob: bytes | None) -> _Scores | None:
    """The column `scores` in the form in which it is stored."""
    return None if blob is None else _read_scores(blob)


def stored_view(blob: bytes | None) -> _View:
    """The column `view` in the form in which it is stored."""
    return _NOTHING_SEEN if blob is None else _read_view(blob)


def first_call(decision: bytes) -> tuple[str, float]:
    """The tier of the first call and its expected USD, from the column `decision`; nothing and 0 where there is none."""
    step = _read_steps(decision).first.step
    return step.tier, step.costs.usd


def grounds(decision: bytes) -> tuple[str, float, tuple[Why, ...], bytes]:
    """From the column `decision`: tier and USD as `first_call` gives them, the kinds of its reasons, and what was dropped, as stored."""
    head = _read_head(decision)
    step = head.first.step
    return step.tier, step.costs.usd, tuple([_why(reason.why) for reason in head.reasons]), bytes(head.dropped)


def planned(row: Row) -> Decision:
    """What was decided, without the rest of a row. Raises as `decode` does."""
    return _decision(row, _read_decision(row["decision"]))


def attempted(blob: bytes) -> tuple[Tried, ...]:
    """The attempts of a row, from its column `tried`. Raises as `decode` does."""
    return _read_tried(blob)


def asked_cost(asides: bytes) -> float | None:
    """From the column `asides`: the USD of asking a small model what the request is, None where none was asked. Raises as `decode` does."""
    costs = [aside.cost for aside in _read_asides(asides) if aside.purpose == CLASSIFY]
    return sum(costs) if costs else None


def mended(record: Record) -> Record:
    """The nearest record that has a stored form: lone surrogates become `?`, NaN becomes 0 and whole numbers are cut to 64 bits."""
    return msgspec.convert(_mended(msgspec.to_builtins(record)), Record)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return 0.0 if value != value else value  # only NaN differs from itself
    if isinstance(value, int) and not isinstance(value, bool):
        return max(min(value, 2**63 - 1), -(2**63))
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(item) for item in value]
    return value


def _tier_of(steps: tuple[Step, ...], model: str, default: str) -> str:
    for step in steps:
        if model in step.targets:
            return step.tier
    return default


def _features(row: Row, stored: _Features) -> Features:
    return Features(
        request_id=row["request_id"] if stored.request_id is None else stored.request_id,
        route=row["route"] if stored.route is None else stored.route,
        key=row["key"],
        team=row["team"],
        dialect=_word(stored.dialect),
        hints=stored.hints,
        operation=row["operation"],
        operations=tuple(map(_word, stored.operations)),
        input_tokens=stored.input_tokens,
        output_tokens=stored.output_tokens,
        needs=tuple(map(_word, stored.needs)),
        turns=stored.turns,
        questions=stored.questions,
        code=stored.code,
        language=row["language"],
        complexity=Complexity(row["complexity"], stored.parts),
        prompt_fingerprint=stored.prompt_fingerprint,
        sensitivity=stored.sensitivity,
        signals=stored.signals,
        matches=stored.matches,
        stream=stored.stream,
        session=stored.session,
        tool_loop=stored.tool_loop,
        tool_failures=stored.tool_failures,
        sealed=stored.sealed,
        key_models=stored.key_models,
        key_task=stored.key_task,
        redacted=stored.redacted,
        draw=row["draw"] if stored.draw is None else stored.draw,
    )


def _decision(row: Row, stored: _Decision) -> Decision:
    return Decision(
        request_id=row["request_id"],
        route=row["route"],
        policy=row["policy"],
        steps=tuple(Step(s.tier, s.targets, s.costs, s.validators, s.windows, s.retries, s.lower) for s in stored.steps),
        task=row["task"],
        arm=row["arm"],
        propensity=row["propensity"],
        draw=row["draw"],
        deadline=stored.deadline,
        max_cost=stored.max_cost,
        max_attempts=stored.max_attempts,
        reasons=tuple(Reason(_why(why), subject, value, limit) for why, subject, value, limit in stored.reasons),
        dropped=tuple(Dropped(model, _drop(why), subject, value, limit) for model, why, subject, value, limit in stored.dropped),
        margin=row["margin"],
        retries=stored.retries,
        backoff=stored.backoff,
        hedge=stored.hedge,
        combine=None if stored.combine is None else Combine(*msgspec.structs.astuple(stored.combine)),
        refusals=stored.refusals,
        stream=stored.stream,
        refusal_cost=stored.refusal_cost,
        lenient=stored.lenient,
        shadows=stored.shadows,
    )


def _scores(row: Row, stored: _Scores) -> Scores:
    return Scores(stored.task, row["difficulty"], stored.good, stored.cost, stored.latency, stored.abstained, stored.by, stored.asked)


def _why(stored: _Word) -> Why:
    return WHYS[stored] if isinstance(stored, int) else Why(stored)


def _drop(stored: _Word) -> Drop:
    return DROPS[stored] if isinstance(stored, int) else Drop(stored)


def _word(stored: _Word) -> str:
    return WORDS[stored] if isinstance(stored, int) else stored
