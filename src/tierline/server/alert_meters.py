"""What a scrape shows of alerts."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Sequence

from tierline.server.metric_kit import MetricKit
from tierline.types.alert import Alert


class AlertMeters:
    """How many alerts of each watch are open: every process reads that from the ledger, so of several the highest is shown; and how many
    were raised, by the process that raised them. A watch that is no longer in the spec goes to 0."""

    def __init__(self, kit: MetricKit) -> None:
        self._firing = kit.gauge("tierline_alerts_firing", "Alerts that are open, by watch", ["watch"])
        self._raised = kit.counter("tierline_alerts_total", "Alerts raised, by watch", ["watch"])
        self._known: set[str] = set()

    def show(self, names: Sequence[str], firing: Sequence[Alert]) -> None:
        """Show what the ledger says."""
        counts = Counted(alert.watch for alert in firing)
        for name in self._known | set(names) | counts.keys():
            self._firing.labels(name).set(counts[name])
            self._raised.labels(name)
        self._known = set(names) | counts.keys()

    def raised(self, watch: str) -> None:
        """Count an alert that this process has raised."""
        self._raised.labels(watch).inc()
