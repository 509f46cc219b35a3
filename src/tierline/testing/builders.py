"""Specs, features and outcomes in one line each, for tests of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import Spec
from tierline.config.units import Duration, Size
from tierline.routing.router import Router
from tierline.types.access import Endpoint, Key
from tierline.types.catalog import Model, Price
from tierline.types.features import CAPABILITIES, Complexity, Features
from tierline.types.hints import Hints
from tierline.types.outcome import Answer, ErrorClass, Outcome, Verdict

FLEET: Mapping[str, Mapping[str, Any]] = {
    "mini": {"tier": "fast", "price": (0.2, 0.8)},
    "local": {"tier": "fast", "price": (0.0, 0.0), "provider": "inhouse", "residency": "on_prem"},
    "sonnet": {"tier": "balanced", "price": (3.0, 15.0)},
    "opus": {"tier": "best", "price": (15.0, 75.0)},
}
"""A small fleet over three tiers: model → tier, price in and out (USD per million), and what else differs from the default."""


def model(name: str, tier: str = "fast", price: tuple[float, float] = (1.0, 1.0), **changes: Any) -> Model:
    """A model that can do everything, with a large window, unless told otherwise."""
    fields: dict[str, Any] = {"provider": "acme", "upstream": name, "capabilities": CAPABILITIES, "context": 200_000, **changes}
    return Model(name=name, tier=tier, price=Price(*price), **fields)


def loaded(
    spec: Mapping[str, Any] | None = None, fleet: Mapping[str, Mapping[str, Any]] = FLEET, keys: Mapping[bytes, Key] | None = None
) -> Loaded:
    """A loaded spec made from a mapping and a fleet, without any file; nothing is checked."""
    models = {name: model(name, **about) for name, about in fleet.items()}
    providers = sorted({m.provider for m in models.values()})
    body = {"version": 1, **(spec or {})}
    converted = msgspec.convert(body, Spec, dec_hook=_parse, str_keys=True)
    return Loaded(
        spec=converted,
        path=Path("tierline.yaml"),
        models=models,
        providers={name: Endpoint(name) for name in providers},
        keys=keys or {},
        fingerprint="0123456789ab",
        parts={},
        canonical=msgspec.json.encode(body),
    )


def router(spec: Mapping[str, Any] | None = None, fleet: Mapping[str, Mapping[str, Any]] = FLEET, **more: Any) -> Router:
    """A router over such a spec."""
    return Router(loaded(spec, fleet, **more))


def features(difficulty: float = 0.2, *, hints: Mapping[str, Any] | None = None, **changes: Any) -> Features:
    """Features of a short plain request of this difficulty."""
    fields: dict[str, Any] = {"request_id": "r-1", "input_tokens": 200, "output_tokens": 100, "draw": 0.5, **changes}
    return Features(complexity=Complexity(difficulty, {"given": difficulty}), hints=Hints(**(hints or {})), **fields)


def ok(cost: float = 0.001, elapsed: float = 0.5, text: str = "an answer", **more: Any) -> Outcome:
    """A provider that answered, and nobody objects."""
    return Outcome(ok=True, answer=Answer("openai_chat", text=text), cost=cost, elapsed=elapsed, **more)


def rejected(cost: float = 0.001, elapsed: float = 0.5, validator: str = "schema", passed: int = 0, **more: Any) -> Outcome:
    """A provider that answered, and a validator said no after `passed` others had said yes."""
    verdicts = (*(Verdict(f"passed-{n}", True) for n in range(passed)), Verdict(validator, False))
    return Outcome(ok=True, answer=Answer("openai_chat"), cost=cost, elapsed=elapsed, verdicts=verdicts, **more)


def failed(error: ErrorClass = "server", elapsed: float = 0.1, cost: float = 0.0, **more: Any) -> Outcome:
    """A provider that gave no answer."""
    return Outcome(ok=False, error=error, elapsed=elapsed, cost=cost, **more)


def outraced(elapsed: float = 0.0, cost: float = 0.0) -> Outcome:
    """An attempt that another of its round was faster than; without any time, one that never began."""
    return Outcome(ok=False, error="outraced", elapsed=elapsed, cost=cost)


def _parse(kind: type, value: Any) -> Any:
    if kind in (Duration, Size):
        return kind.parse(value)
    raise NotImplementedError(kind)
