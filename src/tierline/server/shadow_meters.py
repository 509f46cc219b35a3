"""What Prometheus scrapes of the models that answer beside: how many, what they cost, and what came of comparing them."""

from __future__ import annotations

from tierline.ledger.shadows import Shadowed
from tierline.server.metric_kit import MetricKit


class ShadowMeters:
    """The counters of the shadows of one process. Their USD is not in `tierline_cost_usd_total`: no client pays for it.

    A judge's self-disagreement is `disagreed` over `won`, `lost` and `disagreed` together."""

    def __init__(self, kit: MetricKit) -> None:
        counter = kit.counter
        self._shadows = counter("tierline_shadows_total", "Answers asked for beside, by what came of it", ["model", "task", "outcome"])
        self._running = kit.gauge("tierline_shadows_running", "Answers beside under way", several="livesum")
        self._waiting = kit.gauge("tierline_shadows_waiting", "Answers beside not begun", several="livesum")
        self._skipped = counter("tierline_shadows_skipped_total", "Shadows drawn and not asked for", ["model", "why"])
        self._cost = counter("tierline_shadow_cost_usd_total", "USD of answers beside, judging included", ["model"])
        self._verdicts = counter(
            "tierline_shadow_verdicts_total", "What validators said of answers beside", ["model", "validator", "passed"]
        )
        self._judgements = counter(
            "tierline_judgements_total", "How answers beside stood against the clients'", ["judge", "task", "model", "judgement"]
        )

    def shadowed(self, row: Shadowed) -> None:
        """An answer was asked for, whatever came of it."""
        self._shadows.labels(row.model, row.task, "answered" if row.ok else row.error).inc()
        self._cost.labels(row.model).inc(row.cost)
        for verdict in row.verdicts:
            self._verdicts.labels(row.model, verdict.validator, "yes" if verdict.passed else "no").inc()
        if row.judgement:
            self._judgements.labels(row.judge, row.task, row.model, row.judgement).inc()

    def show(self, running: int, waiting: int) -> None:
        """How many there are now."""
        self._running.set(running)
        self._waiting.set(waiting)

    def skipped(self, model: str, why: str) -> None:
        """One was drawn and not asked for."""
        self._skipped.labels(model, why).inc()
