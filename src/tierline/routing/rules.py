"""Many conditions over one request's facts: the first that holds, or all that hold.

Most facts take few values: a task, a language, whether there is code. What a condition says of those alone is evaluated once for each
combination and remembered. What it says of the others (sizes, scores, session ids) is evaluated for every request; where they are no more
than compared with numbers, once for each place among those numbers.
What is remembered is bounded, and changes no answer.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tierline.config import cel_syntax
from tierline.config.expressions import Condition, ExpressionInvalid, FirstMatch
from tierline.config.logic import comparisons
from tierline.routing.facts import Getter, facts, getters
from tierline.types.features import Features

MOVING = frozenset({"input_tokens", "output_tokens", "complexity", "session"})
"""Names whose values hardly ever come again."""

_REMEMBERED = 4096
"""Combinations remembered before all are forgotten."""

_AT: Mapping[str, str] = {"user_tier": "hints.user_tier", "tags": "hints.tags"}
"""Where a name's value stands in the features, where it is not an attribute of that name."""


class Left(msgspec.Struct, frozen=True):
    """What one combination of steady facts leaves open: `certain` are the conditions that hold whatever the others are, `undecided`
    those that depend on the others; `ask` finds the first of the undecided that come before the first certain one. `cuts` are the numbers
    between two of which nothing changes, in order, for each of the others; None where a condition does more than compare those with
    numbers, or reads a fact that no gate reads.
    `found` is the first that holds, for each place among the cuts that has come up."""

    certain: tuple[int, ...]
    undecided: tuple[int, ...]
    ask: FirstMatch | None
    facts: tuple[tuple[str, Getter], ...]
    cuts: tuple[tuple[Getter, tuple[float, ...]], ...] | None
    found: dict[tuple[int, ...], int]


class Rules:
    """Conditions in their order. A condition that cannot be evaluated does not hold, or holds, as `on_error` says."""

    __slots__ = ("_conditions", "_cuts", "_gates", "_key", "_kinds", "_on_error", "_seen", "_signals", "_steady")

    def __init__(
        self, conditions: Sequence[Condition], signals: Iterable[str], *, on_error: bool = False, kinds: Iterable[str] = ()
    ) -> None:
        self._conditions = tuple(conditions)
        self._signals = tuple(signals)
        self._kinds = tuple(kinds)
        self._on_error = on_error
        self._gates = tuple(_gate(condition) for condition in conditions)
        gates = [gate for gate in self._gates if gate is not None]
        self._steady = getters(gates, self._signals, self._kinds)
        self._key = _key_of([name for name, _ in self._steady])
        self._seen: dict[tuple[Any, ...], Left] = {}
        self._cuts: dict[int, Mapping[str, frozenset[float]] | None] = {}

    def first(self, features: Features, task: str, risk: str) -> int:
        """The index of the first condition that holds, -1 if none does."""
        left = self._left(features, task, risk)
        if left.cuts is None:
            return _first(left, features, task, risk)
        place = tuple([_place(cuts, get(features, task, risk)) for get, cuts in left.cuts])
        found = left.found.get(place)
        if found is None:
            if len(left.found) >= _REMEMBERED:
                left.found.clear()
            found = left.found[place] = _first(left, features, task, risk)
        return found

    def holding(self, features: Features, task: str, risk: str) -> Sequence[int]:
        """The indices of all conditions that hold, in their order."""
        left = self._left(features, task, risk)
        if not left.undecided:
            return left.certain
        values = facts(left.facts, features, task, risk)
        found = [index for index in left.undecided if self._conditions[index].holds(values, on_error=self._on_error)]
        return sorted((*left.certain, *found))

    def settled(self, features: Features, task: str, risk: str) -> bool:
        """Whether sizes, scores and session ids have no part in what these conditions say of a request with such steady facts."""
        return not self._left(features, task, risk).undecided

    def cuts(self, features: Features, task: str, risk: str) -> Mapping[str, frozenset[float]] | None:
        """Where what these conditions say of a request with such steady facts can change: the numbers that they compare each of the others
        with. Between two of them nothing changes. None where a condition does more with one than compare it."""
        return self._cuts_of(self._left(features, task, risk).undecided)

    def _cuts_of(self, conditions: Iterable[int]) -> Mapping[str, frozenset[float]] | None:
        found: dict[str, frozenset[float]] = {}
        for index in conditions:
            if index not in self._cuts:
                node = cel_syntax.read(self._conditions[index].source)
                self._cuts[index] = None if node is None else _cuts(node)
            cuts = self._cuts[index]
            if cuts is None:
                return None
            for name, numbers in cuts.items():
                found[name] = found.get(name, frozenset()) | numbers
        return found

    def _left(self, features: Features, task: str, risk: str) -> Left:
        key = self._key(features, task, risk)
        left = self._seen.get(key)
        if left is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            left = self._seen[key] = self._weigh(facts(self._steady, features, task, risk))
        return left

    def _weigh(self, values: dict[str, Any]) -> Left:
        certain, undecided = [], []
        for index, (condition, gate) in enumerate(zip(self._conditions, self._gates, strict=True)):
            if gate is condition:
                if condition.holds(values, on_error=self._on_error):
                    certain.append(index)
            elif gate is None or gate.value(values) is not False:
                undecided.append(index)
        before = sum(1 for index in undecided if not certain or index < certain[0])
        asked = [self._conditions[index] for index in undecided]
        ask = FirstMatch(asked[:before]) if before else None
        read = getters(asked, self._signals, self._kinds)
        known = MOVING | {name for name, _ in self._steady}
        cuts = self._cuts_of(undecided[:before]) if all(name in known for name, _ in read) else None
        ordered = None if cuts is None else tuple([(get, tuple(sorted(cuts[name]))) for name, get in read if name in cuts])
        return Left(tuple(certain), tuple(undecided), ask, read, ordered, {})


def _first(left: Left, features: Features, task: str, risk: str) -> int:
    if left.ask is not None:
        found = left.ask(facts(left.facts, features, task, risk))
        if found >= 0:
            return left.undecided[found]
    return left.certain[0] if left.certain else -1


def _place(cuts: tuple[float, ...], value: float) -> int:
    """Where a number lies: between two cuts, or on one of them."""
    return bisect_left(cuts, value) + bisect_right(cuts, value)


def _gate(condition: Condition) -> Condition | None:
    """The part of a conjunction that reads steady names alone: while it is false, so is the whole. None where there is no such part.

    A condition that reads nothing else is its own gate."""
    if not condition.names & MOVING:
        return condition
    syntax = cel_syntax.read(condition.source)
    steady = [node.text for node in _conjuncts(syntax)] if syntax is not None else []
    parts = [part for part in map(_compiled, steady) if part is not None and part.names and not part.names & MOVING]
    return _compiled(" && ".join(f"({part.source})" for part in parts)) if parts else None


def _conjuncts(node: cel_syntax.Node) -> list[cel_syntax.Node]:
    if isinstance(node, cel_syntax.Call) and node.function == "&&":
        return [part for arg in node.args for part in _conjuncts(arg)]
    return [node]


def _cuts(node: cel_syntax.Node) -> dict[str, frozenset[float]] | None:
    """The numbers that an expression compares each moving name with; None where one stands anywhere but in such a comparison."""
    named = Counter(part.name for part in cel_syntax.walk(node) if isinstance(part, cel_syntax.Name) and part.name in MOVING)
    compared = [fact for fact in comparisons(node) if fact.subject in named and isinstance(fact.value, int | float)]
    if Counter(fact.subject for fact in compared) != named:
        return None
    return {name: frozenset(float(fact.value) for fact in compared if fact.subject == name) for name in named}


def _compiled(source: str) -> Condition | None:
    try:
        return Condition.compile(source)
    except ExpressionInvalid:
        return None


def _key_of(names: Sequence[str]) -> Callable[[Features, str, str], tuple[Any, ...]]:
    """What tells requests apart by the values of these names, as something that can be looked up by."""
    paths = [_AT.get(name, name) for name in names if name not in ("task", "risk", "signals")]
    shared: Callable[[Features], Any] = operator.attrgetter(*paths) if paths else lambda _: None
    by_task, by_risk, by_signals = "task" in names, "risk" in names, "signals" in names

    def key(features: Features, task: str, risk: str) -> tuple[Any, ...]:
        signals = tuple(features.signals.items()) if by_signals and features.signals else ()
        return shared(features), task if by_task else "", risk if by_risk else "", signals

    return key
