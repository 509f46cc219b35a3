"""What is counted of every request that left a row. Each label is a name of the spec or a word of a fixed list.

Requests are counted many at a time: sums are made first, and each child is touched once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from prometheus_client import Counter, Histogram

from tierline.server.examples import Examples
from tierline.server.governed import GovernanceCounters
from tierline.server.metric_kit import Kept, MetricKit, observe_all
from tierline.types.ask import CLASSIFY, REMEMBERED
from tierline.types.outcome import NO_USAGE, Aside, Usage
from tierline.types.record import Record, Tried

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of what models and requests take."""
OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05)
"""Upper bounds of what Tierline itself takes."""

_MOVES = frozenset({"fallback", "escalation", "retry", "hedge"})
_PARTS = ("cached", "cache_written", "reasoning")


class RequestMeters:
    """The counters and histograms of answered (and failed) requests; `examples` are traces of some."""

    def __init__(self, kit: MetricKit) -> None:
        counter = kit.counter
        self._governance = GovernanceCounters(kit)
        self._models = _ModelMeters(kit)
        self._asked = _AskedMeters(kit)
        requests = counter("tierline_requests_total", "Requests by route, answering model and status", ["route", "model", "status"])
        self._request_of: Kept[tuple[str, str, int], Counter] = Kept(lambda key: requests.labels(*key))
        decided, paid = ["route", "task", "tier"], "USD of whole requests by what was decided, with every attempt and call beside"
        decisions = counter("tierline_decisions_total", "Requests by what they were taken for and the tier asked first", decided)
        costs = counter("tierline_request_cost_usd_total", paid, decided)
        self._decision_of: Kept[tuple[str, str, str], tuple[Counter, Counter]] = Kept(
            lambda key: (decisions.labels(*key), costs.labels(*key))
        )
        moves = counter("tierline_moves_total", "Requests that needed such an attempt, each counted once", ["route", "task", "how"])
        self._move_of: Kept[tuple[str, str, str], Counter] = Kept(lambda key: moves.labels(*key))
        arms = counter(
            "tierline_arm_requests_total", "Requests of experiments by their arm: answered, flagged or failed", ["arm", "outcome"]
        )
        arm_costs = counter("tierline_arm_cost_usd_total", "USD of requests of experiments by their arm", ["arm"])
        self._arm_of: Kept[tuple[str, str], tuple[Counter, Counter]] = Kept(lambda key: (arms.labels(*key), arm_costs.labels(key[0])))
        tools = counter("tierline_tool_answers_total", "Requests that a tool answered in a model's place", ["route", "tool"])
        self._tool_of: Kept[tuple[str, str], Counter] = Kept(lambda key: tools.labels(*key))
        self._flagged = counter("tierline_flagged_total", "Answers given although no validator accepted one", ["route"])
        self._truncated = counter("tierline_truncated_total", "Streams that broke off after their first content", ["route"])
        self._stopped = counter("tierline_stopped_total", "Courses that ended before their steps did, by why", ["route", "why"])
        self.examples = Examples("tierline_request_seconds", "route", SECONDS)
        latency = kit.histogram("tierline_request_seconds", "Time to the end of a whole answer, or of an error", SECONDS, ["route"])
        self._latency_of: Kept[str, Histogram] = Kept(latency.labels)
        self._overhead = kit.histogram("tierline_overhead_seconds", "Time spent in Tierline itself", OVERHEAD)

    def count(self, records: Sequence[Record], traces: Mapping[str, str]) -> None:
        """Count requests; `traces` has the trace of those that are traced, by request id."""
        requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        decided: defaultdict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0.0])
        latencies: defaultdict[str, list[float]] = defaultdict(list)
        overheads: list[float] = []
        for record in records:
            decision = record.decision
            requests[decision.route, record.model, record.status] += 1
            cost = record.cost
            sums = decided[decision.route, decision.task, decision.tier]
            sums[0] += 1
            sums[1] += cost
            overheads.append(record.overhead)
            latency = record.latency
            latencies[decision.route].append(latency)
            if traces and (trace := traces.get(decision.request_id)):
                self.examples.note(decision.route, latency, trace)
            if len(record.tried) != 1 or record.status != 200:
                self._unusual(record)
            if record.flagged:
                self._flagged.labels(decision.route).inc()
            if decision.arm:
                self._arm(record, cost)
            if record.features.sensitivity or record.features.redacted or decision.dropped:
                self._governance.count(record)
            if record.asides:
                self._asked.count(record)
        for request, number in requests.items():
            self._request_of[request].inc(number)
        for kind, (many, usd) in decided.items():
            counted, spent = self._decision_of[kind]
            counted.inc(many)
            spent.inc(usd)
        for route, seconds in latencies.items():
            observe_all(self._latency_of[route], seconds)
        observe_all(self._overhead, overheads)
        self._models.count(records)

    def _unusual(self, record: Record) -> None:
        """Count what is not told by a request that one model answered at once."""
        route, task = record.decision.route, record.decision.task
        for how in _MOVES.intersection(attempt.cause for attempt in record.tried):
            self._move_of[route, task, how].inc()
        if record.answered:
            self._tool_of[route, record.answered].inc()
        if record.truncated:
            self._truncated.labels(route).inc()
        if record.stopped:
            self._stopped.labels(route, record.stopped).inc()

    def _arm(self, record: Record, cost: float) -> None:
        outcome = "flagged" if record.flagged else "answered" if record.status < 400 else "failed"
        requests, costs = self._arm_of[record.decision.arm, outcome]
        requests.inc()
        costs.inc(cost)


class _ModelMeters:
    """What is counted of calls to models: the attempts, and the calls beside them."""

    def __init__(self, kit: MetricKit) -> None:
        counter, model = kit.counter, ["model"]
        attempts = counter("tierline_attempts_total", "Calls to models, by cause and error", ["model", "cause", "error"])
        self._attempt_of: Kept[tuple[str, str, str], Counter] = Kept(lambda key: attempts.labels(*key))
        tokens = counter("tierline_tokens_total", "Tokens by model and direction", ["model", "direction"])
        cost = counter("tierline_cost_usd_total", "USD at list prices", model)
        self._spent_of: Kept[str, tuple[Counter, Counter, Counter]] = Kept(
            lambda name: (tokens.labels(name, "input"), tokens.labels(name, "output"), cost.labels(name))
        )
        parts = counter(
            "tierline_token_parts_total", "Tokens within those of `tierline_tokens_total` that are priced or read apart", ["model", "part"]
        )
        self._part_of: Kept[tuple[str, str], Counter] = Kept(lambda key: parts.labels(*key))
        verdicts = counter("tierline_verdicts_total", "What validators said of answers", ["validator", "passed"])
        self._verdict_of: Kept[tuple[str, str], Counter] = Kept(lambda key: verdicts.labels(*key))
        asides = counter(
            "tierline_asides_total", "Calls beside the attempts: for validators, judges, prepare steps, tools", ["purpose", "target", "ok"]
        )
        self._aside_of: Kept[tuple[str, str, str], Counter] = Kept(lambda key: asides.labels(*key))
        call = kit.histogram("tierline_call_seconds", "Time to a whole answer of a model", SECONDS, model)
        first = kit.histogram("tierline_first_content_seconds", "Time to a model's first content", SECONDS, model)
        self._times_of: Kept[str, tuple[Histogram, Histogram]] = Kept(lambda name: (call.labels(name), first.labels(name)))

    def count(self, records: Sequence[Record]) -> None:
        """Count every call that was made for these requests."""
        attempts: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        spent: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0, 0.0])
        times: defaultdict[str, list[float]] = defaultdict(list)
        firsts: defaultdict[str, list[float]] = defaultdict(list)
        for record in records:
            if record.asides:
                self._beside(record.asides, spent)
            for attempt in record.tried:
                attempts[attempt.target, attempt.cause, attempt.error] += 1
                self._attempt(attempt, spent)
                if attempt.ok and attempt.cause != "judge":
                    times[attempt.target].append(attempt.elapsed)
                    if attempt.ttft is not None:
                        firsts[attempt.target].append(attempt.ttft)
        for kind, number in attempts.items():
            self._attempt_of[kind].inc(number)
        for place, seconds in enumerate((times, firsts)):
            for model, values in seconds.items():
                observe_all(self._times_of[model][place], values)
        for model, sums in spent.items():
            for child, amount in zip(self._spent_of[model], sums, strict=True):
                child.inc(amount)

    def _attempt(self, attempt: Tried, spent: defaultdict[str, list[float]]) -> None:
        paid = attempt.cost
        if attempt.verdicts or attempt.asides:
            paid -= self._beside(attempt.asides, spent)
            for verdict in attempt.verdicts:
                self._verdict_of[verdict.validator, "yes" if verdict.passed else "no"].inc()
        if attempt.target:
            self._used(attempt.target, attempt.usage, paid, spent)

    def _beside(self, asides: Sequence[Aside], spent: defaultdict[str, list[float]]) -> float:
        """Count calls beside the attempts, each for the model that was asked; their USD."""
        for aside in asides:
            self._aside_of[aside.purpose, aside.target, "yes" if aside.ok else "no"].inc()
            if aside.usage != NO_USAGE or aside.cost:
                self._used(aside.target, aside.usage, aside.cost, spent)
        return sum(aside.cost for aside in asides)

    def _used(self, model: str, usage: Usage, cost: float, spent: defaultdict[str, list[float]]) -> None:
        sums = spent[model]
        sums[0] += usage.input
        sums[1] += usage.output
        sums[2] += cost
        if usage.cached or usage.cache_written or usage.reasoning:
            for part in _PARTS:
                if amount := getattr(usage, part):
                    self._part_of[model, part].inc(amount)


class _AskedMeters:
    """What is counted of asking a small model what a request is."""

    def __init__(self, kit: MetricKit) -> None:
        self._classified = kit.counter(
            "tierline_classified_total",
            "Requests about which a small model was asked what they are: named, unsure, failed, or remembered",
            ["route", "result"],
        )
        self._cost = kit.counter("tierline_classified_cost_usd_total", "USD of asking what requests are", ["route"])

    def count(self, record: Record) -> None:
        """Count the question what a request is, where it was put."""
        for aside in record.asides:
            if aside.purpose == CLASSIFY:
                said = aside.detail if aside.detail == REMEMBERED else "unsure" if record.scores.abstained else "named"
                self._classified.labels(record.decision.route, said if aside.ok else "failed").inc()
                self._cost.labels(record.decision.route).inc(aside.cost)
