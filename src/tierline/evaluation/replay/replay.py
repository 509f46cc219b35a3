"""Every row of a log decided again under another spec, by the router that serves live traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tierline.decision_log.codec import first_call, grounds
from tierline.evaluation.replay.again import Again, Decider
from tierline.evaluation.replay.changes import EXAMPLES, Change, Example, differs, example, kind_of, plan_differs, settled_by
from tierline.evaluation.replay.document import Reckoned, Replay, Rows
from tierline.evaluation.replay.evidence import Seen, by_task, evidence
from tierline.evaluation.replay.logged import Batches, Logged, Page, of_row
from tierline.evaluation.replay.screen import REMEMBERED, Screen, Screened
from tierline.evaluation.replay.support import DETERMINISTIC, WHOLE, SpecOf, Supporter
from tierline.routing.router import Router
from tierline.types.decision import Decision, Step
from tierline.types.errors import LogFailure

_UNFAITHFUL = 10
_AUDITED = 500
"""Of so many rows one is decided whole although it was screened."""

_NOT_IN_FLEET = -2
"""Stands where an index into the fleet would; -1 is nobody."""

_NO_STEP = Step("", ("",))
"""Of a decision that asks nobody."""

_Alike = tuple[object, ...]
"""What changed rows share whose change has one kind and one reason."""

Progress = Callable[[int], None]
"""Called with the number of rows decided since the last call."""


class _Group:
    """One kind of change while it is being counted; `after` is the model that is asked first now."""

    def __init__(self, after: str) -> None:
        self.after = after
        self.count = 0
        self.cost = 0.0
        self.supported = 0
        self.examples: list[Example] = []


class _Move(NamedTuple):
    """Of a stored row that is certain to go first to the model `after`, whose call is expected to cost so much (USD). `ground` is what rows
    share that go there for the same reason."""

    after: str
    cost: float
    ground: _Alike


class _Tally:
    """Everything that is counted on the way through the rows."""

    def __init__(self, router: Router, spec_of: SpecOf) -> None:
        self.router = router
        self.decider = Decider(router)
        own = router.policy.fingerprint
        self.supporter = Supporter(lambda policy: self.decider if policy == own else spec_of(policy))
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
        self._alike: dict[_Alike, _Group] = {}

    def take(self, row: Logged) -> _Group | None:
        """Decide one row again and count what came of it; the group of its change, where it did change."""
        self.counts["read"] += 1
        if row.answered:
            self.counts["tools"] += 1
            self.seen.missing("a tool had answered, nothing was routed", row.features.request_id)
            return None
        before = row.decision
        self.policies[before.policy] += 1
        again = self.decider.again(row)
        if again.decision is None:
            self.counts["refused"] += 1
            self.seen.missing("the new spec would refuse it", row.features.request_id)
            return self._change(row, again, supported=False)
        return self._compare(row, again, again.decision)

    def take_same(self, page: Page, costs: float, labels: Mapping[str, float]) -> None:
        """Count stored rows that are certain to go to the same model first, whose calls are expected to cost so much, all together."""
        counts = self.counts
        for name in ("read", "decided", "same", "screened"):
            counts[name] += len(page)
        policies = Counter(page.column("policy"))
        counts["own"] += policies[self.router.policy.fingerprint]
        self.policies.update(policies)
        targets = Counter(page.column("first_model"))
        calls = [first_call(decision) for decision in page.column("decision")]
        for models in self.models:
            models.update(targets)
        self.tiers[0].update([tier for tier, _ in calls])
        for target, count in targets.items():
            self.tiers[1][self._tier_of.get(target, "")] += count
        self.reckoned[0] += sum([cost for _, cost in calls])
        self.reckoned[1] += costs
        for propensity, policy, route, task, target in page.columns("propensity", "policy", "route", "task", "first_model"):
            if propensity < WHOLE:
                self.supporter.same(policy, route, task, target, propensity)
        self.seen.same(page, labels)

    def take_moved(self, page: Page, moves: Sequence[_Move], labels: Mapping[str, float]) -> None:
        """Count stored rows that are certain to go first to another model.

        The first rows of each kind of change are decided whole, for they become examples, and so is one in many of the others: all must be
        what they were said to be."""
        calls: list[tuple[str, float]] = []
        told: list[int] = []
        rows = zip(moves, page.column("task"), page.column("first_model"), page.column("decision"), strict=True)
        for place, (move, task, first, decision) in enumerate(rows):
            tier, before_cost, reasons, dropped = grounds(decision)
            alike = (move.ground, move.after, task, first, settled_by(reasons), dropped)
            group = self._alike.get(alike)
            if group is None or len(group.examples) < EXAMPLES or group.count % _AUDITED == 0:
                self._examine(of_row(page.row(place), labels), move.after, alike, group)
                continue
            group.count += 1
            group.cost += move.cost - before_cost
            calls.append((tier, before_cost))
            told.append(place)
        self._count_moved(page.part(told), [moves[place] for place in told], calls, labels)

    def _examine(self, row: Logged, after: str, alike: _Alike, group: _Group | None) -> None:
        """Decide a row whole of which it is said where it goes now."""
        taken = self.take(row)
        if taken is None or taken.after != after or (group is not None and taken is not group):
            raise _wrong(row, after)
        if len(self._alike) >= REMEMBERED:
            self._alike.clear()
        self._alike[alike] = taken

    def _count_moved(self, page: Page, moves: Sequence[_Move], calls: Sequence[tuple[str, float]], labels: Mapping[str, float]) -> None:
        for name in ("read", "decided", "changed", "screened"):
            self.counts[name] += len(page)
        self.policies.update(page.column("policy"))
        self.models[0].update(page.column("first_model"))
        self.tiers[0].update([tier for tier, _ in calls])
        self.reckoned[0] += sum([cost for _, cost in calls])
        targets = [move.after for move in moves]
        for after, count in Counter(targets).items():
            self.models[1][after] += count
            self.tiers[1][self._tier_of[after]] += count
        self.reckoned[1] += sum([move.cost for move in moves])
        self.seen.moved(page, targets, labels)
        self.seen.missing_all(DETERMINISTIC, page.column("request_id"))

    def _compare(self, row: Logged, again: Again, after: Decision) -> _Group | None:
        before, counts = row.decision, self.counts
        counts["decided"] += 1
        self._faithful(before, after)
        if again.stale or again.unscored or again.blind:
            for name in ("stale", "unscored", "blind"):
                counts[name] += getattr(again, name)
        for side, decision in enumerate((before, after)):
            step = decision.steps[0] if decision.steps else _NO_STEP
            self.models[side][step.targets[0]] += 1
            self.tiers[side][step.tier] += 1
            self.reckoned[side] += step.costs[0] if step.costs else 0.0
        chances = self.decider.chances(row, again.scores, after)
        could = self.supporter.could(row, chances)
        self.seen.add(row, after.target, chances, could)
        if differs(before, after):
            self.counts["changed"] += 1
            return self._change(row, again, supported=could.known is not False)
        if plan_differs(before, after):
            self.counts["plan_changed"] += 1
        else:
            self.counts["same"] += 1
        return None

    def _faithful(self, before: Decision, after: Decision) -> None:
        if before.policy == after.policy:
            self.counts["own"] += 1
            if before != after and _core(before) != _core(after) and len(self.unfaithful) < _UNFAITHFUL:
                self.unfaithful.append(before.request_id)

    def _change(self, row: Logged, again: Again, *, supported: bool) -> _Group:
        kind, why = kind_of(row, again, self.router)
        target = "" if again.decision is None else again.decision.target
        key = (kind, why, row.decision.task, row.decision.target, target)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = _Group(target)
        group.count += 1
        group.supported += supported
        if again.decision is not None:
            group.cost += _first_cost(again.decision) - _first_cost(row.decision)
        if len(group.examples) < EXAMPLES:
            group.examples.append(example(self.router, row, again))
        return group


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
    pages: Iterable[Page],
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


def _screened(tally: _Tally, screen: Screen, page: Page, labels: Mapping[str, float]) -> None:
    """A page in three parts: rows whose first choice is the logged one, those whose first choice is another, and those that do not fit."""
    found = screen.choose(page)
    index = {**tally.router.policy.fleet.index, "": -1}
    logged = np.array([index.get(name, _NOT_IN_FLEET) for name in page.column("first_model")])[found.places]
    propensity = np.array(page.column("propensity"))[found.places]
    same = np.flatnonzero((found.chosen == logged) & (propensity > 0))
    audited = np.arange(len(same)) % _AUDITED == 0
    for place in found.places[same[audited]].tolist():
        _audit(tally, of_row(page.row(place), labels))
    certain = same[~audited]
    tally.take_same(page.part(found.places[certain].tolist()), float(found.costs[certain].sum()), labels)
    left = np.ones(len(page), dtype=bool)
    left[found.places[same]] = False
    elsewhere = np.flatnonzero((found.chosen != logged) & (found.chosen >= 0) & (propensity >= WHOLE))
    left[_moved(tally, page, found, elsewhere, labels)] = False
    for place in np.flatnonzero(left).tolist():
        tally.take(of_row(page.row(place), labels))


def _moved(tally: _Tally, page: Page, found: Screened, elsewhere: NDArray[np.int64], labels: Mapping[str, float]) -> list[int]:
    """Count those rows whose first choice is another, but for rows of this very spec, of which there should be none; their places."""
    own, names, policies = tally.router.policy.fingerprint, tally.router.policy.fleet.names, page.column("policy")
    columns = (found.places[elsewhere], elsewhere, found.chosen[elsewhere], found.costs[elsewhere], found.clears[elsewhere])
    places, moves = list[int](), list[_Move]()
    for place, number, chosen, cost, clears in zip(*[column.tolist() for column in columns], strict=True):
        if policies[place] != own:
            places.append(place)
            moves.append(_Move(names[chosen], cost, (found.classes[number].number, clears)))
    if moves:
        tally.take_moved(page.part(places), moves, labels)
    return places


def _audit(tally: _Tally, row: Logged) -> None:
    """A row of which the screen says that the model that was asked first is asked first again."""
    again = tally.decider.again(row).decision
    if again is None or again.target != row.decision.target:
        raise _wrong(row, row.decision.target)
    tally.take(row)


def _wrong(row: Logged, expected: str) -> LogFailure:
    return LogFailure(
        f"the screen is wrong about request {row.features.request_id} (it says {expected!r} is asked first, the router says otherwise): "
        "replay without --quick, and please report it"
    )


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
            f"{counts['stale']:,} rows were scored by another scorer, or asked of another model, than the new spec names, and text "
            "is not kept: they were decided with the scores in the log"
        )
    if counts["unscored"]:
        said.append(
            f"{counts['unscored']:,} rows were never scored, or nobody was asked what they are, for their task was settled then and is "
            "open now: they were decided without that, by difficulty alone or a tier up"
        )
    if counts["blind"]:
        said.append(
            f"{counts['blind']:,} rows kept no latencies, which the new spec reads: they were decided as if every model were quick enough"
        )
    return said
