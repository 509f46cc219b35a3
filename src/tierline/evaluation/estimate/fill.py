"""Fills in the worksheet: each number from whoever knows it best. Measured in a log or a table, else what a sheet says, else the
spec, else an assumption, which says that it is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tierline.config.loaded import Loaded
from tierline.config.spec import RouteSpec, TaskSpec
from tierline.config.validation import checks_of
from tierline.evaluation.estimate import number as numbers
from tierline.evaluation.estimate.asked import TYPICAL_IN, TYPICAL_OUT, asked_in, route_of
from tierline.evaluation.estimate.evidence import LEAST, NO_EVIDENCE, Cell, Evidence, Seen, Tally
from tierline.evaluation.estimate.number import LATENCY_CV, THINKING_CV, Number
from tierline.evaluation.estimate.source import CONFIG, Source
from tierline.evaluation.estimate.worksheet import OPEN, Believed, Offered, Row, Worksheet
from tierline.evaluation.simulate.outcomes import ASSUMED_FIRST, ASSUMED_SPEED, ASSUMED_TOGETHER
from tierline.evaluation.simulate.pursued import Checks
from tierline.routing.belief import priors
from tierline.routing.router import Router
from tierline.types.catalog import Model
from tierline.types.decision import Decision
from tierline.types.view import NO_VIEW

FAILS = 0.01
"""The share of calls that fail, where nobody counted."""
TAIL = 2.0
"""A call's 95th percentile over its median, where nobody measured."""
THINKING = 1.0
"""Tokens that a model which can reason thinks for each that it says, where nobody counted. It may be none or several."""
ASKS = 0.2
"""The share of requests that a scorer is unsure about, where it may ask and nobody counted."""
HITS = 0.1
"""The share of requests that tools answer, where a route asks them first and nobody counted."""
MIDDLING = 0.5
"""The difficulty at which the prior of a tier is taken."""


def worksheet_of(loaded: Loaded, evidence: Evidence = NO_EVIDENCE, router: Router | None = None) -> Worksheet:
    """The worksheet of a spec and what is known beside it. Reads nothing: evidence is gathered before."""
    router = router or Router(loaded)
    filling = _Filling(loaded, evidence, router)
    shares = filling.shares()
    checks = Checks()
    return Worksheet(
        spec=str(loaded.path),
        fingerprint=loaded.fingerprint,
        rows=tuple(filling.row(task, traffic) for task, traffic in shares.items()),
        models={name: filling.offered(model) for name, model in loaded.models.items()},
        sensitivity=numbers.rate(checks.sensitivity, Source("assumed", note="bad answers that checks reject")),
        specificity=numbers.rate(checks.specificity, Source("assumed", note="good answers that checks accept")),
        together=numbers.rate(ASSUMED_TOGETHER, Source("assumed", note="what makes a request hard for all models alike")),
        notes=filling.notes(shares),
    )


class _Filling:
    """The spec and the evidence, while rows are made of them."""

    def __init__(self, loaded: Loaded, evidence: Evidence, router: Router) -> None:
        self._loaded = loaded
        self._evidence = evidence
        self._router = router

    # the rows

    def shares(self) -> dict[str, Number]:
        """The rows there are, each with its share of the traffic; they add up to 1."""
        evidence, tasks = self._evidence, self._loaded.spec.tasks
        counted = {name or OPEN: seen.requests for name, seen in evidence.tasks.items() if seen.requests}
        if evidence.measured and sum(counted.values()) >= LEAST:
            whole = sum(counted.values())
            names = [*tasks, *(name for name in counted if name not in tasks)]
            return {name: numbers.share(counted.get(name, 0) / whole, self._measured(whole)) for name in names}
        said = {name: self._said_share(name, task) for name, task in tasks.items()}
        sheet = evidence.sheet.get((OPEN, "traffic_share"))
        if sheet is not None:
            said[OPEN] = sheet
        return _completed(said, bool(counted.get(OPEN)) or not tasks)

    def _said_share(self, name: str, task: TaskSpec) -> Number | None:
        sheet = self._evidence.sheet.get((name, "traffic_share"))
        if sheet is not None:
            return sheet
        return None if task.traffic_share is None else numbers.share(task.traffic_share, Source("assumed", note="spec"))

    def row(self, name: str, traffic: Number) -> Row:
        """One row of the worksheet."""
        loaded = self._loaded
        task = "" if name == OPEN else name
        spec = loaded.spec.tasks.get(task)
        route = loaded.spec.routes.get(route_of(loaded, task), RouteSpec())
        seen = self._evidence.tasks.get(task, Seen())
        primary, fallback, decision = self._first(name)
        models = {model: self._believed(name, task, spec, model, route_of(loaded, task)) for model in loaded.models}
        tokens_in = self._tokens_in(name, spec, seen)
        own = models.get(primary) or next(iter(models.values()))
        bar = spec.quality_bar if spec is not None and spec.quality_bar is not None else route.quality_bar
        return Row(
            task=name,
            traffic_share=traffic,
            quality_threshold=numbers.fixed(bar, CONFIG),
            primary_model=primary,
            fallback_model=fallback,
            tokens_in=tokens_in,
            tokens_out=own.tokens_out,
            validation=_validation(spec.validate if spec and spec.validate else route.validate),
            pass_rate=own.pass_rate,
            latency_p50=own.latency_p50,
            latency_p95=own.latency_p95,
            cost=self._cost(primary, tokens_in, own),
            reviewed=str(spec.reviewed) if spec is not None and spec.reviewed else "",
            models=models,
            cached=self._share_of(name, "cached", seen.cached.n, seen.cached.mean, 0.0, "nothing is read from prompt caches"),
            tool_hits=self._hits(name, route, seen),
            asks=self._asks(name, route, seen, decision),
            failure_cost=numbers.fixed(spec.failure_cost if spec else 0.0, CONFIG),
            latency_budget=None if spec is None or spec.latency_budget is None else float(spec.latency_budget),
            why=spec.why if spec else "",
            owner=spec.owner if spec else "",
            route=route_of(loaded, task),
        )

    def _first(self, name: str) -> tuple[str, str, Decision]:
        """Who is asked first and who stands in for it, by the router itself; where requests of the task go several ways, by most of
        them."""
        weights: dict[tuple[str, str], float] = {}
        decisions: dict[tuple[str, str], Decision] = {}
        for sample in asked_in(self._loaded, self._evidence, name):
            decision = self._router.decide(sample.features, sample.scores, NO_VIEW)
            targets = decision.steps[0].targets if decision.steps else ()
            later = [target for step in decision.steps[1:] for target in step.targets]
            key = (targets[0] if targets else "", next(iter((*targets[1:], *later)), ""))
            weights[key] = weights.get(key, 0.0) + sample.weight
            decisions.setdefault(key, decision)
        most = max(weights, key=lambda key: weights[key])
        return (*most, decisions[most])

    # what is believed of a model

    def _believed(self, name: str, task: str, spec: TaskSpec | None, model: str, route: str) -> Believed:
        cell = self._evidence.cells.get((task, model), Cell())
        out = self._amount(name, f"tokens_out:{model}", cell.tokens_out, spec.tokens.output if spec else 0, TYPICAL_OUT)
        thinking = self._thinking(name, model, cell, out)
        said = self._evidence.sheet.get((name, f"pass_rate:{model}"))
        if cell.scores.n >= LEAST:
            passes = numbers.rate(cell.scores.mean, self._measured(cell.scores.n))
        elif cell.accepted.n >= LEAST:
            passes = numbers.rate(_behind(cell.accepted.mean), self._measured(cell.accepted.n, "by its checks alone"))
        elif said is not None:
            passes = said
        elif spec is not None and model in spec.quality:
            passes = numbers.rate(spec.quality[model], Source("assumed", note="spec"))
        else:
            passes = numbers.rate(self._prior(route, model), Source("assumed", note="prior of its tier"))
        p50, p95 = self._latency(name, model, cell, out.value + thinking.value)
        return Believed(passes, p50, p95, out, thinking)

    def _prior(self, route: str, model: str) -> float:
        policy = self._router.policy
        by_tier = priors(policy.routes.get(route) or policy.routes["auto"], MIDDLING)
        return by_tier[policy.fleet.level[policy.fleet.index[model]]]

    def _thinking(self, name: str, model: str, cell: Cell, out: Number) -> Number:
        said = self._evidence.sheet.get((name, f"thinking:{model}"))
        if cell.thinking.n >= LEAST:
            return numbers.amount(cell.thinking.mean, self._measured(cell.thinking.n), cell.thinking.off)
        if said is not None:
            return said
        given = self._loaded.models[model]
        if given.source != "catalogue" and self._loaded.spec.models[model].capabilities is None:
            return numbers.fixed(0.0, Source("assumed", note="not known to reason"))
        if "reasoning" not in given.capabilities:
            return numbers.fixed(0.0, Source("catalogue" if given.source == "catalogue" else "config", note="cannot reason"))
        return numbers.amount(out.value * THINKING, Source("assumed", note="as many as it says"), THINKING_CV)

    def _latency(self, name: str, model: str, cell: Cell, tokens: float) -> tuple[Number, Number]:
        if len(cell.seconds) >= LEAST:
            ordered = sorted(cell.seconds)
            source = self._measured(cell.answers)
            p50, p95 = (max(ordered[round(at * (len(ordered) - 1))], 1e-4) for at in (0.5, 0.95))
            off = 1.25 * (p95 / p50 - 1.0) / 1.645 / max(cell.answers, 1) ** 0.5
            return numbers.amount(p50, source, off), numbers.amount(max(p95, p50), source, 2.0 * off)
        said = [self._evidence.sheet.get((name, f"{column}:{model}")) for column in ("latency_p50", "latency_p95")]
        if said[0] is not None and said[1] is not None:
            return said[0], said[1]
        p50 = ASSUMED_FIRST + tokens / ASSUMED_SPEED
        source = Source("assumed", note=f"{ASSUMED_FIRST:g} s and {ASSUMED_SPEED:g} tokens a second")
        return numbers.amount(p50, source, LATENCY_CV), numbers.amount(p50 * TAIL, source, LATENCY_CV)

    # what a request holds, and what surrounds it

    def _tokens_in(self, name: str, spec: TaskSpec | None, seen: Seen) -> Number:
        return self._amount(name, "tokens_in", seen.tokens_in, spec.tokens.input if spec else 0, TYPICAL_IN)

    def _amount(self, name: str, column: str, seen: Tally, declared: int, typical: int) -> Number:
        said = self._evidence.sheet.get((name, column))
        if seen.n >= LEAST:
            return numbers.amount(seen.mean, self._measured(seen.n), seen.off)
        if said is not None:
            return said
        return numbers.amount(float(declared or typical), Source("assumed", note="spec" if declared else ""))

    def _share_of(self, name: str, column: str, n: int, value: float, otherwise: float, note: str) -> Number:
        said = self._evidence.sheet.get((name, column))
        if n >= LEAST:
            return numbers.rate(value, self._measured(n))
        if said is not None:
            return said
        source = Source("assumed", note=note)
        return numbers.rate(otherwise, source) if otherwise else numbers.fixed(0.0, source)

    def _hits(self, name: str, route: RouteSpec, seen: Seen) -> Number:
        counted = seen.requests if self._evidence.measured else 0
        if not route.tools_first and not seen.by_tool:
            return numbers.fixed(0.0, Source("config", note="no tool is asked first"))
        return self._share_of(name, "tool_hits", counted, seen.by_tool / max(counted, 1), HITS, "")

    def _asks(self, name: str, route: RouteSpec, seen: Seen, decision: Decision) -> Number:
        if route.scorer.ask is None or (route.task and route.task == decision.task):
            return numbers.fixed(0.0, Source("config", note="no small model names the task"))
        always = route.scorer.kind == "llm"
        counted = seen.requests if self._evidence.measured else 0
        return self._share_of(name, "asks", counted, seen.asked / max(counted, 1), 1.0 if always else ASKS, "always" if always else "")

    def _cost(self, primary: str, tokens_in: Number, own: Believed) -> Number:
        """USD of one call of the primary: its interval is that of its tokens, widest ends together."""
        if not primary:
            return numbers.fixed(0.0, CONFIG)
        price_in, price_out, _ = self._prices(self._loaded.models[primary])
        ends = [
            (getattr(tokens_in, end) * price_in + (getattr(own.tokens_out, end) + getattr(own.thinking, end)) * price_out) / 1e6
            for end in ("value", "low", "high")
        ]
        return Number(ends[0], self._priced(self._loaded.models[primary]), low=ends[1], high=ends[2])

    # the fleet

    def offered(self, model: Model) -> Offered:
        """One model with its prices."""
        source = self._priced(model)
        price_in, price_out, price_cached = self._prices(model)
        calls, failed = self._evidence.calls.get(model.name, (0, 0))
        measured = calls >= LEAST
        fails = numbers.rate(
            failed / calls if measured else FAILS, self._measured(calls) if measured else Source("assumed", note="calls that fail")
        )
        return Offered(
            tier=model.tier,
            price_in=numbers.fixed(price_in, source),
            price_out=numbers.fixed(price_out, source),
            price_cached=numbers.fixed(price_cached, source),
            fails=fails,
        )

    def _prices(self, model: Model) -> tuple[float, float, float]:
        """In, out, and in from a prompt cache; a model without a known price counts as the dearest, as it does where requests are
        decided."""
        if model.price.known:
            price = model.price
            return price.input, price.output, price.input if price.cache_read is None else price.cache_read
        known = [other.price for other in self._loaded.models.values() if other.price.known]
        dearest = max((price.input for price in known), default=0.0), max((price.output for price in known), default=0.0)
        return (*dearest, dearest[0])

    def _priced(self, model: Model) -> Source:
        if not model.price.known:
            return Source("assumed", note="no price is known: as the dearest")
        return Source("catalogue") if model.source == "catalogue" else CONFIG

    def _measured(self, n: int, how: str = "") -> Source:
        evidence = self._evidence
        return Source("measured", n, evidence.since, evidence.until, ", ".join(filter(None, (evidence.where, how))))

    def notes(self, shares: Mapping[str, Number]) -> tuple[str, ...]:
        """What a reader must know that no single number says."""
        said = [
            f"the sheet names {', '.join(filter(None, named))} for {task}, the spec asks {first} first: the spec counts"
            for task, named in self._evidence.named.items()
            if task in shares and named[0] and (first := self._first(task)[0]) != named[0]
        ]
        unknown = [name for name, model in self._loaded.models.items() if not model.price.known]
        if unknown:
            said.append(f"no price is known of {', '.join(unknown)}: they are reckoned as the dearest of the fleet")
        strange = [task for task in dict.fromkeys(task for task, _ in self._evidence.sheet) if task and task not in shares]
        if strange:
            said.append(f"the sheet has rows that the spec does not know: {', '.join(strange)}")
        return tuple(said)


def _completed(said: Mapping[str, Number | None], anyhow: bool) -> dict[str, Number]:
    """Shares that add up to 1: what is left goes to the tasks that have none in equal parts, else to the row without a task."""
    given = {name: share for name, share in said.items() if share is not None}
    whole = sum(share.value for share in given.values())
    left = max(1.0 - whole, 0.0)
    without = [name for name, share in said.items() if share is None]
    if (left > 0.005 and not without) or (anyhow and OPEN not in said):
        without.append(OPEN)
    found: dict[str, Number] = {}
    for name in (*said, *(name for name in without if name not in said)):
        share = given.get(name)
        if share is None:
            share = numbers.share(left / len(without), Source("assumed", note="what the others leave, in equal parts"))
        found[name] = share if whole <= 1.0 + 1e-9 else numbers.share(share.value / whole, share.source)
    return found


def _validation(entries: Sequence[Mapping[str, object]]) -> str:
    """The checks in a line: `schema schemas/order.json, retry 1; max_chars 4000`."""
    said = []
    for check in checks_of("", entries):
        words = f"{check.kind} {check.value}" if isinstance(check.value, str | int | float) else check.kind
        said.append(words + (f", retry {check.retry}" if check.retry else ""))
    return "; ".join(said) or "none"


def _behind(accepted: float) -> float:
    """The pass rate behind a share of accepted answers, for checks that see as `Checks` says: (a − (1 − s)) / (c − (1 − s)), cut to [0, 1]
    (Rogan and Gladen 1978). Carried through the course it gives that very share again."""
    checks = Checks()
    missed = 1.0 - checks.sensitivity
    return min(max((accepted - missed) / (checks.specificity - missed), 0.0), 1.0)
