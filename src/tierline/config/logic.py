"""Can a condition ever hold? Reasoning over conditions without evaluating them.

A condition is turned into a list of cases, each a list of facts that must hold together (its disjunctive normal form). It never
holds when every case contradicts itself or what its subject can be; it always holds when its opposite never does. What this
reasoning does not understand is taken as possible, so it errs only towards silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tierline.config.cel_syntax import Call, ListOf, Literal, Node, negated

MAX_CASES = 256

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


class Domain(msgspec.Struct, frozen=True):
    """What a subject can be: one of `words`, a number from `low` to `high`, or true and false. None: no limit is known."""

    words: frozenset[str] | None = None
    low: float = -math.inf
    high: float = math.inf


class Fact(msgspec.Struct, frozen=True):
    """`subject` compared to a constant; a condition that is not a comparison is compared to true."""

    subject: str
    sign: str
    value: Any


Case = tuple[Fact, ...]
Domains = Mapping[str, Domain]


class _TooMany(Exception):
    """More cases than are worth looking at."""


class Effort:
    """How much may still be thought, in facts looked at, so that no spec can make its own check slow."""

    def __init__(self, facts: int = 200_000) -> None:
        self._left = facts

    def spend(self, facts: int) -> None:
        """Raises when nothing is left."""
        self._left -= facts
        if self._left < 0:
            raise _TooMany


def never_holds(node: Node, domains: Domains, unless: Sequence[Node] = (), effort: Effort | None = None) -> bool:
    """Whether no request can meet the condition while it meets none of the conditions `unless`; False where thinking it through
    would take more than `effort`."""
    effort = effort or Effort()
    try:
        cases = _cases(node, True)
        for other in unless:
            further = _cases(negated(other), True)
            effort.spend((sum(map(len, cases)) + len(cases)) * len(further))
            cases = [case for case in _both(cases, further) if _possible(case, domains)]
        return not any(_possible(case, domains) for case in cases)
    except _TooMany:
        return False


def always_holds(node: Node, domains: Domains) -> bool:
    """Whether every request meets the condition."""
    return never_holds(negated(node), domains)


def comparisons(node: Node) -> list[Fact]:
    """Every comparison with a constant, wherever it stands in the expression."""
    found = []
    if isinstance(node, Call):
        found = [fact for fact in (_compared(node),) if fact is not None]
        if node.function == "in" and isinstance(node.args[1], ListOf):
            found = [Fact(node.args[0].text, "==", item.value) for item in node.args[1].items if isinstance(item, Literal)]
        for arg in node.args:
            found += comparisons(arg)
    return found


def _cases(node: Node, wanted: bool) -> list[Case]:
    if isinstance(node, Literal) and isinstance(node.value, bool):
        return [()] if node.value is wanted else []
    if isinstance(node, Call):
        if node.function == "!":
            return _cases(node.args[0], not wanted)
        if node.function in ("&&", "||"):
            left, right = (_cases(arg, wanted) for arg in node.args)
            return _both(left, right) if (node.function == "&&") is wanted else _limited(left + right)
        if node.function == "?:":
            condition, then, other = node.args
            met = _both(_cases(condition, True), _cases(then, wanted))
            return _limited(met + _both(_cases(condition, False), _cases(other, wanted)))
        if node.function == "in" and isinstance(node.args[1], ListOf) and all(isinstance(i, Literal) for i in node.args[1].items):
            facts = [Fact(node.args[0].text, "==", item.value) for item in node.args[1].items if isinstance(item, Literal)]
            return [(fact,) for fact in facts] if wanted else [tuple(Fact(f.subject, "!=", f.value) for f in facts)]
        fact = _compared(node)
        if fact is not None:
            return [(fact if wanted else Fact(fact.subject, _OPPOSITE[fact.sign], fact.value),)]
    return [(Fact(node.text, "==", wanted),)]


def _compared(node: Call) -> Fact | None:
    if node.function not in _OPPOSITE:
        return None
    left, right = node.args
    if isinstance(right, Literal) and not isinstance(left, Literal):
        return Fact(left.text, node.function, right.value)
    if isinstance(left, Literal) and not isinstance(right, Literal):
        return Fact(right.text, _MIRRORED[node.function], left.value)
    return None


def _both(left: list[Case], right: list[Case]) -> list[Case]:
    return _limited([tuple(dict.fromkeys(a + b)) for a in left for b in right])


def _limited(cases: list[Case]) -> list[Case]:
    if len(cases) > MAX_CASES:
        raise _TooMany
    return cases


def _possible(case: Case, domains: Domains) -> bool:
    subjects: dict[str, list[Fact]] = {}
    for fact in case:
        subjects.setdefault(fact.subject, []).append(fact)
    return all(_consistent(facts, domains.get(subject, Domain())) for subject, facts in subjects.items())


def _consistent(facts: list[Fact], domain: Domain) -> bool:
    """Whether one value can meet all these facts about one subject."""
    equal = [fact.value for fact in facts if fact.sign == "=="]
    if equal:
        return all(_meets(equal[0], fact) for fact in facts) and _in(equal[0], domain)
    barred = [fact.value for fact in facts if fact.sign == "!="]
    if {True, False} <= {value for value in barred if isinstance(value, bool)}:
        return False
    if domain.words is not None and domain.words <= {value for value in barred if isinstance(value, str)}:
        return False
    return _room(facts, domain)


def _meets(value: Any, fact: Fact) -> bool:
    if fact.sign in ("==", "!="):
        same = value == fact.value and isinstance(value, bool) == isinstance(fact.value, bool)
        return same is (fact.sign == "==")
    if not _number(value) or not _number(fact.value):
        return True
    return bool({"<": value < fact.value, "<=": value <= fact.value, ">": value > fact.value, ">=": value >= fact.value}[fact.sign])


def _in(value: Any, domain: Domain) -> bool:
    if isinstance(value, str):
        return domain.words is None or value in domain.words
    return not _number(value) or domain.low <= value <= domain.high


def _room(facts: list[Fact], domain: Domain) -> bool:
    """Whether any number is left between the bounds."""
    low, high, open_low, open_high = domain.low, domain.high, False, False
    for fact in facts:
        if not _number(fact.value):
            continue
        if fact.sign in (">", ">=") and (fact.value, fact.sign == ">") > (low, open_low):
            low, open_low = fact.value, fact.sign == ">"
        if fact.sign in ("<", "<=") and (-fact.value, fact.sign == "<") > (-high, open_high):
            high, open_high = fact.value, fact.sign == "<"
    return low < high or (low == high and not open_low and not open_high)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
