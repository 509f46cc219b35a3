"""Does governance hold together: is there somebody to look for each kind, does each rule do one thing, has everything an owner?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tierline.config.case import Case
from tierline.config.cel_syntax import Member, Name, read, walk
from tierline.config.check_names import all_exist, exists
from tierline.config.check_patterns import pattern_takes
from tierline.config.document import Place
from tierline.config.plugin_names import registered
from tierline.config.spec import GovernanceRuleSpec, GovernanceSpec
from tierline.types.sensitivity import BUILT_IN, UNSCANNED

_KIND = re.compile(r"[a-z][a-z0-9_]{0,30}")
_REGION = re.compile(r"[A-Z]{2}")
_RESERVED = frozenset({"pii", UNSCANNED, *BUILT_IN})


def examine_governance(case: Case) -> None:
    """Reports what governance asks for and nobody does, and what has no owner."""
    spec = case.spec.governance
    _kinds(case, spec)
    _who(case, spec)
    for index, rule in enumerate(spec.rules):
        _rule(case, ("governance", "rules", index), spec, rule)
    if case.whole:
        _owners(case, required=spec.require_owners)


def _kinds(case: Case, spec: GovernanceSpec) -> None:
    place: Place = ("governance", "patterns")
    for name, patterns in spec.patterns.items():
        if not _KIND.fullmatch(name) or name in _RESERVED:
            case.problems.error((*place, name), f"{name!r} cannot be a kind", "write a new word of small letters, digits and _")
        if not patterns and case.whole:
            case.problems.error((*place, name), "it finds nothing", "give at least one pattern")
        for index, pattern in enumerate(patterns):
            pattern_takes(case, (*place, name, index), pattern)
        if name not in spec.detect and case.whole:
            case.problems.warn((*place, name), f"nobody looks for {name!r}", "add it to governance.detect")
    foreign = set(spec.detectors) - {"patterns"}
    known = (*BUILT_IN, *spec.patterns)
    for index, kind in enumerate(spec.detect):
        if kind not in known and not (foreign and _KIND.fullmatch(kind)):
            case.problems.unknown(("governance", "detect", index), "kind of sensitive data", kind, known)
        if kind in spec.detect[:index]:
            case.problems.error(("governance", "detect", index), f"{kind!r} stands twice", "keep one of them")


def _who(case: Case, spec: GovernanceSpec) -> None:
    all_exist(case, ("governance", "detectors"), "detector", spec.detectors, registered("tierline.detectors"))
    if spec.detect and not spec.detectors and not spec.patterns and case.whole:
        case.problems.error(("governance", "detectors"), "nobody looks", "write [patterns], or leave it out")
    for index, region in enumerate(spec.regions):
        if not _REGION.fullmatch(region):
            case.problems.error(("governance", "regions", index), f"{region!r} is no country", "write two capitals, e.g. DE")
    if spec.safety_model:
        exists(case, ("governance", "safety_model"), "model", spec.safety_model, case.models)


def _rule(case: Case, place: Place, spec: GovernanceSpec, rule: GovernanceRuleSpec) -> None:
    all_exist(case, (*place, "allow", "providers"), "provider", rule.allow.providers, case.names("providers"))
    allows = rule.allow.residency or rule.allow.region or rule.allow.models or rule.allow.tiers or rule.allow.providers
    if rule.refuse and (allows or rule.redact):
        case.problems.error((*place, "refuse"), "it refuses, so nothing is allowed or redacted", "remove the one or the other")
    for index, kind in enumerate(rule.redact):
        if kind != "pii" and kind not in spec.detect and case.whole:
            reason = f"nobody looks for {kind!r}, so it cannot be redacted"
            case.problems.error((*place, "redact", index), reason, "add it to governance.detect")
    if rule.redact and not spec.detect and case.whole and rule.redact == ["pii"]:
        case.problems.error((*place, "redact"), "nobody looks for personal data, so it cannot be redacted", "write governance.detect")
    if spec.detect and case.whole:
        for kind in _asked(rule.when):
            if kind in _RESERVED - {"pii", UNSCANNED} and kind not in spec.detect:
                reason = f"nobody looks for {kind!r}: it holds only where the client itself declares it"
                case.problems.warn((*place, "when"), reason, "add it to governance.detect")


def _asked(when: str) -> Iterable[str]:
    """The kinds that a condition asks for."""
    node = read(when)
    parts = walk(node) if node is not None else ()
    return dict.fromkeys(
        part.key for part in parts if isinstance(part, Member) and isinstance(part.of, Name) and part.of.name == "sensitivity"
    )


def _owners(case: Case, *, required: bool) -> None:
    """Tasks and routes that nobody answers for: an error where the spec wants it so, else a warning in a spec that names owners at all, or
    governs."""
    spec = case.spec
    owners = {task.owner for task in spec.tasks.values()} | {route.owner for route in spec.routes.values()}
    if not (required or spec.governance.rules or spec.governance.detect or owners - {""}):
        return
    report = case.problems.error if required else case.problems.warn
    for name in [name for name, task in spec.tasks.items() if not task.owner]:
        report(("tasks", name), "nobody answers for this task", "add owner: (a person or a team)")
    for name in [name for name, route in spec.routes.items() if not route.owner]:
        report(("routes", name), "nobody answers for this route", "add owner: (a person or a team)")
