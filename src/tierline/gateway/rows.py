"""The row of the decision log that every request leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

from tierline.gateway.answered import Answered
from tierline.gateway.guarded import Guard
from tierline.gateway.trace import Trace
from tierline.gateway.weighed import Weighed
from tierline.interfaces import DecisionLog, Dialect
from tierline.routing.router import Router
from tierline.types.decision import Decision
from tierline.types.errors import LogFailure, RequestError, Unavailable
from tierline.types.features import Features
from tierline.types.record import Record, Tried
from tierline.types.stages import Stages


class Rows:
    """Writes the rows of one gateway; `observe` sees each as it is logged, and `guard` what is kept of a text."""

    def __init__(
        self, log: DecisionLog, router: Router, dialects: Mapping[str, Dialect], guard: Guard | None, observe: Callable[[Record], None]
    ) -> None:
        self._log = log
        self._router = router
        self._dialects = dialects
        self._guard = guard
        self._observe = observe

    def put(self, weighed: Weighed, answered: Answered, text: bytes | None, trace: Trace | None = None) -> Stages[None]:
        """Log what came of a request, and what of its text is to be kept; its spans, where it is traced, are made of that too. Raises
        Unavailable where the log takes no row."""
        result, decision = answered.result, weighed.decision
        record = Record(
            at=time.time(),
            features=weighed.features,
            decision=decision,
            tried=tuple([Tried.of(attempt, outcome) for attempt, outcome in result.attempts]),
            scores=weighed.scores,
            view=self._router.seen(weighed.features, decision, weighed.view),
            winner=result.winner,
            status=answered.status,
            error="" if answered.error is None else answered.error.code,
            stopped=result.stopped,
            flagged=result.flagged,
            truncated=result.truncated,
            overhead=answered.overhead,
            answered=answered.found.by,
            asides=answered.found.asides,
        )
        if trace is not None:
            trace.answered(record, self._router.loaded, "" if answered.answer is None else answered.answer.finish)
        yield
        self._keep(record, text)

    def incidents(self, features: Features) -> _Incidents:
        """Where Tierline itself fails on a request inside of this, that is logged. Raises Unavailable where the log takes no row."""
        return _Incidents(self, features)

    def put_incident(self, features: Features) -> None:
        """Log a request on which Tierline itself failed. Raises Unavailable where the log takes no row."""
        decision = Decision(features.request_id, features.route, self._router.policy.fingerprint, (), draw=features.draw)
        self._keep(Record(at=time.time(), features=features, decision=decision, status=500, error="internal_error"), None)

    def _keep(self, record: Record, text: bytes | None) -> None:
        if text is not None and self._guard is not None:
            text = self._guard.kept(text, self._dialects[record.features.dialect])
        try:
            self._log.put(record, text)
        except LogFailure as failure:
            raise Unavailable(f"the decision log cannot take the row: {failure.message}", retry_after=1.0) from None
        self._observe(record)


class _Incidents:
    """Logs what fails inside of it, but not what a client is told to mend."""

    __slots__ = ("_features", "_rows")

    def __init__(self, rows: Rows, features: Features) -> None:
        self._rows = rows
        self._features = features

    def __enter__(self) -> None:
        """Nothing has failed yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> Literal[False]:
        if isinstance(error, Exception) and not isinstance(error, RequestError):
            self._rows.put_incident(self._features)
        return False
