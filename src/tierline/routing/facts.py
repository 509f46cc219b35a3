"""What expressions may read of a request: one getter for each name of `config.expressions.NAMES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tierline.config.expressions import Condition, members
from tierline.types.features import CAPABILITIES, SENSITIVITIES, Features

_NO_NEEDS: Mapping[str, bool] = dict.fromkeys(CAPABILITIES, False)

Getter = Callable[[Features, str, str], Any]

_PLAIN: Mapping[str, Getter] = {
    "task": lambda _f, task, _r: task,
    "risk": lambda _f, _t, risk: risk,
    "route": lambda f, _t, _r: f.route,
    "key": lambda f, _t, _r: f.key,
    "team": lambda f, _t, _r: f.team,
    "operation": lambda f, _t, _r: f.operation,
    "operations": lambda f, _t, _r: list(f.operations),
    "input_tokens": lambda f, _t, _r: f.input_tokens,
    "output_tokens": lambda f, _t, _r: f.output_tokens,
    "turns": lambda f, _t, _r: f.turns,
    "questions": lambda f, _t, _r: f.questions,
    "code": lambda f, _t, _r: f.code,
    "language": lambda f, _t, _r: f.language,
    "complexity": lambda f, _t, _r: f.complexity.score,
    "user_tier": lambda f, _t, _r: f.hints.user_tier,
    "tags": lambda f, _t, _r: list(f.hints.tags),
    "session": lambda f, _t, _r: f.hints.session,
    "tool_loop": lambda f, _t, _r: f.tool_loop,
    "tool_failures": lambda f, _t, _r: f.tool_failures,
    "stream": lambda f, _t, _r: f.stream,
    "prompt_fingerprint": lambda f, _t, _r: f.prompt_fingerprint,
}


def getters(conditions: Sequence[Condition], signals: Iterable[str], kinds: Iterable[str] = ()) -> tuple[tuple[str, Getter], ...]:
    """The getters of the names that these conditions read, each called with features, the task and the risk that holds; signals
    that were not seen read as zero, and those of the known `kinds` of sensitive data that were not found as false."""
    names: frozenset[str] = frozenset().union(*(condition.names for condition in conditions))
    sources = [condition.source for condition in conditions]
    read = members(sources, "sensitivity")
    table = {
        **_PLAIN,
        "needs": _map(members(sources, "needs"), _NO_NEEDS, lambda f: dict.fromkeys(f.needs, True)),
        "signals": _map(members(sources, "signals"), dict.fromkeys(signals, 0), lambda f: f.signals),
        "sensitivity": _map(read, dict.fromkeys([*SENSITIVITIES, *kinds], False), lambda f: dict.fromkeys(f.sensitivity, True)),
    }
    return tuple((name, table[name]) for name in sorted(names))


def _map(read: frozenset[str] | None, unset: Mapping[str, Any], of: Callable[[Features], Mapping[str, Any]]) -> Getter:
    """A getter of a map with a value for every known member; of those alone that are read, where that is known."""
    if read is None:
        return lambda f, _t, _r: {**unset, **of(f)}
    known = {name: unset[name] for name in sorted(read) if name in unset}
    wanted = tuple(sorted(read))

    def some(features: Features, _task: str, _risk: str) -> dict[str, Any]:
        values = of(features)
        return {**known, **{name: values[name] for name in wanted if name in values}} if values else known

    return some


def facts(wanted: tuple[tuple[str, Getter], ...], features: Features, task: str, risk: str) -> dict[str, Any]:
    """The values of the wanted names for one request."""
    return {name: get(features, task, risk) for name, get in wanted}
