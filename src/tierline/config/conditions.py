"""Checking one condition: does it parse, are its names, members, functions and constants known, can it ever hold?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import msgspec

from tierline.config.case import Case
from tierline.config.cel_syntax import MACROS, Call, Literal, Member, Name, Node, bound, read, walk
from tierline.config.document import Place
from tierline.config.expressions import FAILURES, NAMES, Condition, ExpressionInvalid
from tierline.config.logic import Domain, comparisons, never_holds
from tierline.config.problems import did_you_mean
from tierline.types.features import CAPABILITIES, SENSITIVITIES, Operation

RISKS = ("low", "medium", "high")
"""The words of `tasks.*.risk`."""

_CLOCK = ("FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear", "Hours", "Minutes", "Seconds", "Milliseconds")
_TEXT_FUNCTIONS = {"size", "contains", "startsWith", "endsWith", "matches", "has"}
_CONVERSIONS = {"int", "uint", "double", "string", "bytes", "type", "dyn", "timestamp", "duration"}
FUNCTIONS = frozenset(_TEXT_FUNCTIONS | _CONVERSIONS | {f"get{part}" for part in _CLOCK})
"""What an expression may call, beside the macros."""

_TEXTS = frozenset({"task", "route", "key", "team", "operation", "language", "risk", "user_tier", "session", "prompt_fingerprint"})
_COUNTS = frozenset({"input_tokens", "output_tokens", "turns", "questions", "tool_failures"})
_FLAGS = frozenset({"code", "stream", "tool_loop"})
_LISTS = frozenset({"operations", "tags"})
_KIND = {"text": "text", "number": "a number", "flag": "true or false", "list": "a list", "map": "a map"}
_SIGNS = frozenset({"&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "[]", "?:", "neg"})


class Rule(msgspec.Struct, frozen=True):
    """A condition that compiled: its tree (None where it is beyond the reader) and what its names can be."""

    node: Node | None
    domains: Mapping[str, Domain]


def examine_condition(case: Case, place: Place, source: str, route: str = "", task_open: bool = False) -> Rule | None:
    """Reports what is wrong with a condition; None when it cannot be compiled.

    `route` is the one route it stands in, empty for every route; `task_open` is true where the task is not yet settled."""
    try:
        Condition.compile(source)
    except ExpressionInvalid as error:
        _report_invalid(case, place, source, error)
        return None
    domains = _domains(case, route, task_open)
    node = read(source)
    rule = Rule(node, domains)
    if node is None:
        return rule
    before = len(case.problems.found)
    _check_members(case, place, node)
    _check_functions(case, place, node)
    _check_constants(case, place, node, domains, task_open)
    _check_answer(case, place, node)
    if len(case.problems.found) == before:
        _check_types(case, place, source)
    if len(case.problems.found) == before and _never(node, domains):
        case.problems.error(place, "no request can ever meet this condition", "mend it, or remove the rule")
    return rule


def _never(node: Node, domains: Mapping[str, Domain]) -> bool:
    if any(isinstance(part, Name) for part in walk(node)):
        return never_holds(node, domains)
    return not Condition.compile(node.text).holds({})


def _report_invalid(case: Case, place: Place, source: str, error: ExpressionInvalid) -> None:
    if error.unknown:
        hints = [f"{name}: {did_you_mean(name, NAMES)}" for name in error.unknown]
        case.problems.error(place, str(error), "; ".join(hints) if len(hints) > 1 else hints[0].partition(": ")[2])
        return
    first = str(error).partition("\n")[0]
    found = re.search(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)", str(error))
    if found is None:
        case.problems.error(place, f"this is not CEL: {first}")
        return
    line, column, message = int(found[1]), int(found[2]), found[3].partition(" expecting")[0]
    lines = source.splitlines() or [""]
    text = lines[min(line, len(lines)) - 1]
    case.problems.error(place, f"this is not CEL: {message} at character {column}", f"look here: {text[: column - 1]}▸{text[column - 1 :]}")


def _domains(case: Case, route: str, task_open: bool) -> dict[str, Domain]:
    """What each name can be. `key` and `team` may be those of keys that are made while the spec stands."""
    counted = Domain(low=0)
    one_route = frozenset({route}) if route else case.routes
    domains = {
        "task": Domain(words=frozenset({""}) if task_open else case.tasks | {""}),
        "route": Domain(words=one_route),
        "operation": Domain(words=frozenset(get_args(Operation))),
        "complexity": Domain(low=0, high=1),
    }
    domains.update(dict.fromkeys(_COUNTS, counted))
    domains.update({f"signals.{name}" if name.isidentifier() else f"signals[{name!r}]": counted for name in case.names("signals")})
    return domains


def _check_members(case: Case, place: Place, node: Node) -> None:
    known: Mapping[str, Iterable[str]] = {"signals": case.names("signals"), "needs": CAPABILITIES, "sensitivity": _sensitivities(case)}
    kinds = {"signals": "signal", "needs": "capability", "sensitivity": "kind of sensitive data"}
    for part in walk(node):
        if not isinstance(part, Member) or not isinstance(part.of, Name) or part.of.name in bound(node):
            continue
        if part.of.name not in known:
            case.problems.error(place, f"{part.of.name} is {_KIND[_kind(part.of)]} and has no member {part.key!r}", "use the bare name")
        elif part.key not in known[part.of.name]:
            case.problems.unknown(place, kinds[part.of.name], part.key, known[part.of.name])


def _sensitivities(case: Case) -> tuple[str, ...]:
    """The kinds that are known: the built-in ones, and those that the spec looks for."""
    return tuple(dict.fromkeys((*SENSITIVITIES, *case.spec.governance.patterns, *case.spec.governance.detect)))


def _check_functions(case: Case, place: Place, node: Node) -> None:
    for part in walk(node):
        if isinstance(part, Call) and part.function not in _SIGNS | FUNCTIONS | MACROS:
            case.problems.unknown(place, "function", part.function, FUNCTIONS | MACROS)
        elif isinstance(part, Call) and part.function == "matches" and isinstance(part.args[-1], Literal):
            try:
                Condition.compile(f"'x'.matches({part.args[-1].text})").program.execute({})
            except (ValueError, RuntimeError, TypeError):
                case.problems.error(place, f"{part.args[-1].value!r} is no regular expression", "mend the pattern")


def _check_constants(case: Case, place: Place, node: Node, domains: Mapping[str, Domain], task_open: bool) -> None:
    """Comparisons with what a name can never be."""
    kinds = {part.text: _kind(part) for part in walk(node) if isinstance(part, Name | Member)}
    for fact in comparisons(node):
        kind, domain = kinds.get(fact.subject, ""), domains.get(fact.subject, Domain())
        constant = "flag" if isinstance(fact.value, bool) else "number" if isinstance(fact.value, int | float) else "text"
        if kind and fact.value is not None and kind != constant:
            reason = f"{fact.subject} is {_KIND[kind]}, and is compared with {_KIND[constant]}"
            case.problems.error(
                place, reason, f"compare it with {_KIND[kind]}" if kind not in ("list", "map") else f"write … in {fact.subject}"
            )
        elif task_open and fact.subject == "task" and fact.value != "":
            reason = "this rule settles the task, so the task is still open when it is asked"
            case.problems.error(place, reason, "compare something else, or give the rule `use:` instead of `task:`")
        elif fact.subject == "risk" and fact.value not in ("", *RISKS):
            case.problems.warn(place, f"{fact.value!r} is not one of the words for risk", did_you_mean(str(fact.value), RISKS))
        elif fact.subject == "key" and constant == "text" and fact.value not in case.names("keys") | {""}:
            near = did_you_mean(str(fact.value), case.names("keys"))
            case.problems.warn(place, f"the spec has no key {fact.value!r}; `tierline keys create` may make one", near)
        elif constant == "text" and domain.words is not None and fact.value not in domain.words:
            _report_word(case, place, fact.subject, str(fact.value), domain.words)
        elif constant == "number" and never_holds(_comparison(fact.subject, fact.sign, fact.value), domains):
            low, high = f"{domain.low:g}", f"{domain.high:g}"
            span = f"from {low} to {high}" if domain.high != float("inf") else f"at least {low}"
            case.problems.error(
                place, f"{fact.subject} {fact.sign} {fact.value} is impossible: {fact.subject} is {span}", "mend the number"
            )


def _comparison(subject: str, sign: str, value: Any) -> Node:
    return Call(f"{subject} {sign} {value}", sign, (Name(subject, subject), Literal(repr(value), value)))


def _report_word(case: Case, place: Place, subject: str, word: str, words: frozenset[str]) -> None:
    if subject == "route" and word in case.routes:
        case.problems.error(place, f"this rule is asked on route {min(words)!r} only, never on {word!r}", f"move it to routes.{word}.rules")
    elif case.whole or subject in ("operation", "task", "route"):
        case.problems.unknown(place, subject, word, words - {""})


def _check_types(case: Case, place: Place, source: str) -> None:
    """Tries it on two made-up requests: operands of the wrong types show at once."""
    condition = Condition.compile(source)
    for some, count in ((False, 0), (True, 3)):
        values: dict[str, Any] = dict.fromkeys(_TEXTS, "x" if some else "") | dict.fromkeys(_COUNTS, count) | dict.fromkeys(_FLAGS, some)
        values |= dict.fromkeys(_LISTS, ["x"] if some else []) | {"complexity": 0.5 if some else 0.0}
        values |= {"signals": dict.fromkeys(case.names("signals"), count)}
        values |= {"needs": dict.fromkeys(CAPABILITIES, some), "sensitivity": dict.fromkeys(_sensitivities(case), some)}
        try:
            condition.program.execute({name: values[name] for name in condition.names})
        except TypeError as error:
            words = str(error).partition(". ")[0].partition(" — ")[0]
            case.problems.error(
                place, f"it can never be evaluated: {words}", "whole numbers and fractions do not mix in sums: write 2.0, or int(…)"
            )
            return
        except FAILURES:
            continue


def _kind(node: Node) -> str:
    """What a name holds; empty where that is not known."""
    if isinstance(node, Member):
        of = node.of.name if isinstance(node.of, Name) else ""
        return {"signals": "number", "needs": "flag", "sensitivity": "flag"}.get(of, "")
    if isinstance(node, Name):
        groups = {"text": _TEXTS, "number": _COUNTS | {"complexity"}, "flag": _FLAGS, "list": _LISTS}
        groups["map"] = frozenset({"signals", "needs", "sensitivity"})
        return next((kind for kind, names in groups.items() if node.name in names), "")
    return ""


def _check_answer(case: Case, place: Place, node: Node) -> None:
    """Every part that is asked for true or false must be able to say it."""
    if isinstance(node, Call) and node.function in ("&&", "||", "!"):
        for arg in node.args:
            _check_answer(case, place, arg)
        return
    if isinstance(node, Call) and node.function == "?:":
        for arg in node.args:
            _check_answer(case, place, arg)
        return
    kind = _kind(node)
    if isinstance(node, Literal) and not isinstance(node.value, bool):
        case.problems.error(place, f"{node.text} is not a condition", "compare something with it")
    elif kind and kind != "flag":
        example = {"number": "> 0", "text": "== '…'"}.get(kind, "")
        hint = f"write {node.text} {example}" if example else f"write '…' in {node.text}"
        case.problems.error(place, f"{node.text} is {_KIND[kind]}, which is neither true nor false", hint)
    elif isinstance(node, Call) and node.function in ("+", "-", "*", "/", "%", "neg", "size", "int", "double", "uint", "string"):
        case.problems.error(place, f"{node.text} is neither true nor false", "compare it with something")
