"""What expressions may read of a request: one getter for each name of `config.expressions.NAMES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tierline.types.features import CAPABILITIES, SENSITIVITIES, Features

_NO_NEEDS: Mapping[str, bool] = dict.fromkeys(CAPABILITIES, False)
_NOT_SENSITIVE: Mapping[str, bool] = dict.fromkeys(SENSITIVITIES, False)

Getter = Callable[[Features, str, str], Any]


def getters(names: Iterable[str], signals: Iterable[str]) -> tuple[tuple[str, Getter], ...]:
    """The getters of these names, each called with features, the task and the risk that holds; unset signals read as zero."""
    silent = dict.fromkeys(signals, 0)
    table: dict[str, Getter] = {
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
        "needs": lambda f, _t, _r: {**_NO_NEEDS, **dict.fromkeys(f.needs, True)},
        "signals": lambda f, _t, _r: {**silent, **f.signals},
        "sensitivity": lambda f, _t, _r: {**_NOT_SENSITIVE, **dict.fromkeys(f.sensitivity, True)},
        "user_tier": lambda f, _t, _r: f.hints.user_tier,
        "tags": lambda f, _t, _r: list(f.hints.tags),
        "session": lambda f, _t, _r: f.hints.session,
        "stream": lambda f, _t, _r: f.stream,
        "prompt_fingerprint": lambda f, _t, _r: f.prompt_fingerprint,
    }
    return tuple((name, table[name]) for name in sorted(names))


def facts(wanted: tuple[tuple[str, Getter], ...], features: Features, task: str, risk: str) -> dict[str, Any]:
    """The values of the wanted names for one request."""
    return {name: get(features, task, risk) for name, get in wanted}
