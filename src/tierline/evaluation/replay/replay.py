"""Every row of a log decided again under another spec, by the router that serves live traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from tierline.decision_log.codec import first_cost
from tierline.evaluation.replay.again import Again, Decider
from tierline.evaluation.replay.changes import EXAMPLES, Change, Example, differs, example, kind_of, plan_differs
from tierline.evaluation.replay.document import Reckoned, Replay, Rows
from tierline.evaluation.replay.evidence import Seen, by_task, evidence
from tierline.evaluation.replay.logged import Batches, Logged, Stored, judged, of_row
from tierline.evaluation.replay.screen import Screen
from tierline.evaluation.replay.support import SpecOf, Supporter
from tierline.routing.router import Router
from tierline.types.decision import Decision
from tierline.types.errors import LogFailure

_UNFAITHFUL = 10
_AUDITED = 500
"""Of so many rows one is decided whole although it was screened."""

Progress = Callable[[int], None]
"""Called with the number of rows decided since the last call."""


class _Group:
    """One kind of change while it is being counted."""

    def __init__(self) -> None:
        self.count = 0
        self.cost = 0.0
        self.supported = 0
        self.examples: list[Example] = []


class _Tally:
    """Everything that is counted on the way through the rows."""

    def __init__(self, router: Router, spec_of: SpecOf) -> None:
        self.router = router
        self.decider = Decider(router)
        self.supporter = Supporter(spec_of)
        self.seen = Seen()
        self.counts: Counter[str] = Counter()
        self.policies: Counter[str] = Counter()
        self.unfaithful: list[str] = []
        self.models: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self.tiers: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self.reckoned = [0.0, 0.0]
        fleet = router.policy.fleet
        self._tier_of = {name: fleet.tiers[level] for name, level in zip(fleet.names, fleet.level, strict=True)}
        self.groups: dict[tuple[str, str, str, str, str], _Group] = {}

    def take(self, row: Logged) -> None:
        """Decide one row again and count what came of it."""
        self.counts["read"] += 1
        if row.answered:
            self.counts["tools"] += 1
            self.seen.missing("a tool had answered, nothing was routed", row.features.request_id)
            return
        before = row.decision
        self.policies[before.policy] += 1
        again = self.decider.again(row)
        if again.decision is None:
            self.counts["refused"] += 1
            self.seen.missing("the new spec would refuse it", row.features.request_id)
            self._change(row, again, supported=False)
            return
        self._compare(row, again, again.decision)

    def take_same(self, rows: Sequence[Stored], costs: Sequence[float], labels: Mapping[str, float]) -> None:
        """Count stored rows that are certain to go to the same model first, whose calls are expected to cost so much."""
        counts = self.counts
        for name in ("read", "decided", "same", "screened"):
            counts[name] += len(rows)
        policies = Counter(row.policy for row in rows)
        counts["own"] += policies[self.router.policy.fingerprint]
        self.policies.update(policies)
        targets = Counter(row.first_model for row in rows)
        for side in (0, 1):
            self.models[side].update(targets)
            for target, count in targets.items():
                self.tiers[side][self._tier_of.get(target, "")] += count
        self.reckoned[0] += sum(first_cost(row.decision) for row in rows)
        self.reckoned[1] += sum(costs)
        for row in rows:
            if row.propensity < 1.0:
                self.supporter.same(row.policy, row.route, row.task, row.first_model, row.propensity)
        self.seen.same(rows, [judged(row.request_id, labels, row.tried, row.winner) for row in rows])

    def _compare(self, row: Logged, again: Again, after: Decision) -> None:
        before = row.decision
        self.counts["decided"] += 1
        self._faithful(before, after)
        for name in ("stale", "unscored", "blind"):
            self.counts[name] += getattr(again, name)
        for side, decision in enumerate((before, after)):
            self.models[side][decision.target] += 1
            self.tiers[side][decision.tier] += 1
            self.reckoned[side] += _first_cost(decision)
        chances = self.decider.chances(row, again.scores, after)
        could = self.supporter.could(row, chances)
        self.seen.add(row, after.target, chances, could)
        if differs(before, after):
            self.counts["changed"] += 1
            self._change(row, again, supported=could.known is not False)
        elif plan_differs(before, after):
            self.counts["plan_changed"] += 1
        else:
            self.counts["same"] += 1

    def _faithful(self, before: Decision, after: Decision) -> None:
        if before.policy == after.policy:
            self.counts["own"] += 1
            if before != after and _core(before) != _core(after) and len(self.unfaithful) < _UNFAITHFUL:
                self.unfaithful.append(before.request_id)

    def _change(self, row: Logged, again: Again, *, supported: bool) -> None:
        kind, why = kind_of(row, again, self.router)
        target = "" if again.decision is None else again.decision.target
        key = (kind, why, row.decision.task, row.decision.target, target)
        group = self.groups.setdefault(key, _Group())
        group.count += 1
        group.supported += supported
        if again.decision is not None:
            group.cost += _first_cost(again.decision) - _first_cost(row.decision)
        if len(group.examples) < EXAMPLES:
            group.examples.append(example(self.router, row, again))


def replay(
    batches: Batches, router: Router, *, source: str, spec_of: SpecOf = lambda _: None, progress: Progress = lambda _: None
) -> Replay:
    """Decide every row again under `router`'s spec. `spec_of` gives the deciders of the specs that wrote the log, where they are at hand.

    Raises LogFailure when there is no row at all."""
    tally = _Tally(router, spec_of)
    for batch in batches:
        for row in batch:
            tally.take(row)
        progress(len(batch))
    if not tally.counts["read"]:
        raise LogFailure(f"{source} holds no row to replay: widen --since, --until and --route, or let the gateway serve first")
    return _document(tally, source)


def replay_screened(
    pages: Iterable[Sequence[Stored]],
    labels: Mapping[str, float],
    router: Router,
    *,
    source: str,
    spec_of: SpecOf = lambda _: None,
    progress: Progress = lambda _: None,
) -> Replay:
    """As `replay`, for stored rows, several times as quickly: of rows whose first choice cannot have changed, nothing else is compared.

    Raises LogFailure when there is no row at all, or where the screen and the router do not agree on a row of the sample."""
    tally = _Tally(router, spec_of)
    screen = Screen(router, tally.decider)
    for page in pages:
        _screened(tally, screen, page, labels)
        progress(len(page))
    if not tally.counts["read"]:
        raise LogFailure(f"{source} holds no row to replay: widen --since, --until and --route, or let the gateway serve first")
    return _document(tally, source)


def _screened(tally: _Tally, screen: Screen, page: Sequence[Stored], labels: Mapping[str, float]) -> None:
    names = (*tally.router.policy.fleet.names, "")
    places, chosen, costs = screen.choose(page)
    same, same_costs, told = list[Stored](), list[float](), set[int]()
    for place, index, cost in zip(places.tolist(), chosen.tolist(), costs.tolist(), strict=True):
        row = page[place]
        if names[index] == row.first_model and row.propensity > 0:
            told.add(place)
            if len(told) % _AUDITED == 1:
                _audit(tally, of_row(row, labels), names[index])
            else:
                same.append(row)
                same_costs.append(cost)
    tally.take_same(same, same_costs, labels)
    for place, row in enumerate(page):
        if place not in told:
            tally.take(of_row(row, labels))


def _audit(tally: _Tally, row: Logged, expected: str) -> None:
    again = tally.decider.again(row).decision
    if again is None or again.target != expected:
        raise LogFailure(
            f"the screen is wrong about request {row.features.request_id} ({expected!r} instead of "
            f"{'a refusal' if again is None else again.target!r}): replay without --quick, and please report it"
        )
    tally.take(row)


def _document(tally: _Tally, source: str) -> Replay:
    counts, decided = tally.counts, tally.counts["decided"]
    return Replay(
        source=source,
        spec=str(tally.router.loaded.path),
        fingerprint=tally.router.policy.fingerprint,
        rows=Rows(
            read=counts["read"],
            decided=decided,
            same=counts["same"],
            plan_changed=counts["plan_changed"],
            changed=counts["changed"],
            refused=counts["refused"],
            tools=counts["tools"],
            screened=counts["screened"],
            own=counts["own"],
            unfaithful=tuple(tally.unfaithful),
            policies=dict(tally.policies.most_common()),
        ),
        models=_shares(tally.models, decided),
        tiers=_shares(tally.tiers, decided),
        reckoned=_reckoned(tally.reckoned, decided),
        latency=by_task(tally.seen),
        evidence=evidence(tally.seen, tally.supporter) if decided else None,
        changes=_changes(tally.groups),
        caveats=tuple(_caveats(counts)),
    )


def _core(decision: Decision) -> tuple[object, ...]:
    """What a row of an older release has too: a later one may have learned to say more of the same decision."""
    return decision.task, decision.propensity, tuple((step.tier, step.targets) for step in decision.steps)


def _first_cost(decision: Decision) -> float:
    costs = decision.steps[0].costs if decision.steps else ()
    return costs[0] if costs else 0.0


def _shares(sides: tuple[Counter[str], Counter[str]], count: int) -> dict[str, tuple[float, float]]:
    before, after = sides
    names = sorted(before | after, key=lambda name: (-before[name], -after[name], name))
    return {name: (before[name] / count, after[name] / count) for name in names}


def _reckoned(sums: list[float], count: int) -> Reckoned | None:
    if not count:
        return None
    before, after = (total / count for total in sums)
    return Reckoned(before, after, after - before, (after - before) / before if before else None)


def _changes(groups: dict[tuple[str, str, str, str, str], _Group]) -> tuple[Change, ...]:
    found = [Change(*key, group.count, group.cost, group.supported, tuple(group.examples)) for key, group in groups.items()]
    return tuple(sorted(found, key=lambda change: (-change.count, change.kind, change.why)))


def _caveats(counts: Counter[str]) -> list[str]:
    said = []
    if counts["stale"]:
        said.append(
            f"{counts['stale']:,} rows were scored by another scorer than the new spec names, and text is not kept: "
            "they were decided with the scores in the log"
        )
    if counts["unscored"]:
        said.append(
            f"{counts['unscored']:,} rows were never scored, for their task was settled then and is open now: "
            "they were decided without scores, by difficulty alone"
        )
    if counts["blind"]:
        said.append(
            f"{counts['blind']:,} rows kept no latencies, which the new spec reads: they were decided as if every model were quick enough"
        )
    return said
