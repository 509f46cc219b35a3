"""What goes wrong in a simulation, and when: a YAML list of windows of time.

- {model: mini, from: 10m, until: 20m, error: server}                    # an outage
- {provider: openai, from: 1h, until: 2h, rate: 0.3, error: rate_limited, retry_after: 5s}
- {model: opus, from: 0s, until: 30m, slow: 4}                           # four times as slow
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args

import msgspec

from tierline.config.units import Duration
from tierline.types.errors import EvaluationFailure
from tierline.types.outcome import ErrorClass


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """One window: whose calls, from when until when (seconds of simulated time), which share of them fails, as what, after how long, and
    how many times as long the others take."""

    model: str = ""
    provider: str = ""
    start: Duration = msgspec.field(default_factory=lambda: Duration(0.0))
    until: Duration | None = None
    rate: float | None = None
    error: str = ""
    retry_after: Duration | None = None
    elapsed: Duration = msgspec.field(default_factory=lambda: Duration(0.2))
    slow: float = 1.0

    def holds(self, model: str, provider: str, now: float) -> bool:
        """Whether it is about a call to this model at this time."""
        about = (not self.model or self.model == model) and (not self.provider or self.provider == provider)
        return about and self.start <= now and (self.until is None or now < self.until)

    @property
    def share(self) -> float:
        """The share of calls that fail: all, where an error is named and nothing else is said."""
        return self.rate if self.rate is not None else float(bool(self.error))


def read_faults(path: Path, models: Collection[str], providers: Collection[str]) -> tuple[Fault, ...]:
    """The faults of a file; raises EvaluationFailure for what it cannot mean."""
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=list[Fault], dec_hook=_parse)
    except (msgspec.MsgspecError, ValueError) as error:
        raise EvaluationFailure(f"{path}: {error}: write a list such as [{{model: mini, from: 10m, until: 20m, error: server}}]") from None
    for number, fault in enumerate(found, 1):
        _check(path, number, fault, models, providers)
    return tuple(found)


def _check(path: Path, number: int, fault: Fault, models: Collection[str], providers: Collection[str]) -> None:
    where = f"{path}: fault {number}"
    if fault.model and fault.model not in models:
        raise EvaluationFailure(f"{where}: no model {fault.model!r} in the spec; it has {', '.join(models)}")
    if fault.provider and fault.provider not in providers:
        raise EvaluationFailure(f"{where}: no provider {fault.provider!r} in the spec; it has {', '.join(providers)}")
    known = [error for error in get_args(ErrorClass) if error]
    if fault.error and fault.error not in known:
        raise EvaluationFailure(f"{where}: no error {fault.error!r}; there are {', '.join(known)}")
    if not fault.error and fault.slow == 1.0:
        raise EvaluationFailure(f"{where}: nothing goes wrong: give error: or slow:")
    if not 0.0 <= fault.share <= 1.0 or fault.slow <= 0:
        raise EvaluationFailure(f"{where}: rate lies between 0 and 1, slow above 0")


def _parse(kind: type, value: Any) -> Any:
    if kind is Duration:
        return Duration.parse(value)
    raise NotImplementedError(kind)
