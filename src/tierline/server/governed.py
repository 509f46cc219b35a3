"""What governance did, for a scrape. Kinds are those of the spec; a client's own words are counted together."""

from __future__ import annotations

from tierline.server.metric_kit import MetricKit
from tierline.types.decision import Why
from tierline.types.record import Record
from tierline.types.sensitivity import BUILT_IN, UNSCANNED

_KNOWN = frozenset({"pii", *BUILT_IN, UNSCANNED})
_DID = {Why.GOVERNANCE_FORCED: "forced", Why.GOVERNANCE_REFUSED: "refused"}


class GovernanceCounters:
    """Counts requests by what was sensitive in them, what was replaced, and what governance decided."""

    def __init__(self, kit: MetricKit) -> None:
        counter = kit.counter
        self._sensitive = counter("tierline_sensitive_total", "Requests by what they held when decided on", ["kind"])
        self._redacted = counter("tierline_redacted_total", "Requests in which this was replaced", ["kind"])
        self._governed = counter("tierline_governed_total", "Requests that governance moved or refused", ["how"])

    def count(self, record: Record) -> None:
        """Count one request that something of this befell."""
        for kind in record.features.sensitivity:
            self._sensitive.labels(kind if kind in _KNOWN else "other").inc()
        for kind in record.features.redacted:
            self._redacted.labels(kind if kind in _KNOWN else "other").inc()
        for reason in record.decision.reasons:
            if (how := _DID.get(reason.why)) is not None:
                self._governed.labels(how).inc()
