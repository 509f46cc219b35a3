"""Do the checks of `validate` say something that can be checked: known kinds, and settings that fit them?"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tierline import plugins
from tierline.config.answer_checks import KINDS, AgreementCheck, CheckSpec
from tierline.config.case import Case
from tierline.config.check_validator_settings import examine_settings
from tierline.config.document import Place
from tierline.config.structure import fit_section
from tierline.config.validation import MODIFIERS, kinds_of, known_kinds


def examine_validators(case: Case) -> None:
    """Reports every check that could never work as written."""
    for name, task in case.spec.tasks.items():
        examine_list(case, ("tasks", name, "validate"), task.validate, task.models)
    for name, route in case.spec.routes.items():
        examine_list(case, ("routes", name, "validate"), route.validate, ())


def examine_list(case: Case, place: Place, entries: Sequence[Mapping[str, Any]], models: Sequence[str]) -> None:
    """One list of checks. Items that did not fit the spec's shape are missing from `entries`, so their places are taken from the file."""
    written: Any = case.written
    for part in place:
        written = written.get(part, {}) if isinstance(written, Mapping) else {}
    fitting = [index for index, entry in enumerate(written or ()) if isinstance(entry, dict)]
    checks: dict[Place, CheckSpec] = {}
    for index, entry in zip(fitting, entries, strict=False):
        check = _entry(case, (*place, index), entry)
        if check is not None:
            checks[(*place, index)] = check
    _lengths(case, checks)
    for at, check in checks.items():
        if isinstance(check, AgreementCheck) and models and check.agreement == models[0]:
            reason = f"{check.agreement!r} answers first, so it would be asked to agree with itself"
            case.problems.warn((*at, "agreement"), reason, "name a model of another provider")


def _entry(case: Case, place: Place, entry: Mapping[str, Any]) -> CheckSpec | None:
    """The settings of one entry where they fit; whatever does not has been reported."""
    kinds = kinds_of(entry)
    if len(kinds) > 1:
        case.problems.error(place, f"two checks in one entry: {' and '.join(sorted(kinds))}", "write an entry for each")
        return None
    if not kinds:
        unknown = next((key for key in entry if key not in MODIFIERS), None)
        if unknown is None:
            case.problems.error(place, "it checks nothing", "name a check, e.g. {json: object}")
        else:
            case.problems.unknown((*place, unknown), "check", unknown, known_kinds())
        return None
    if kinds[0] not in KINDS:
        return _foreign(case, place, kinds[0], entry)
    check = fit_section(KINDS[kinds[0]], dict(entry), place, case.problems, case.written)
    if check is not None:
        examine_settings(case, place, check)
    return check


def _foreign(case: Case, place: Place, kind: str, entry: Mapping[str, Any]) -> CheckSpec | None:
    """A kind of another package: its class is looked up, and its `Settings`, where it has such a struct, are held against the entry."""
    try:
        found = plugins.find("validators", kind)
    except plugins.PluginMissing as error:
        case.problems.error((*place, kind), error.message, "install or mend that package")
        return None
    settings = getattr(found, "Settings", None)
    if inspect.isclass(settings) and issubclass(settings, msgspec.Struct):
        plain = {key: value for key, value in entry.items() if key not in MODIFIERS}
        fit_section(settings, plain, place, case.problems, case.written)
    modifiers = {key: value for key, value in entry.items() if key in MODIFIERS}
    return fit_section(CheckSpec, modifiers, place, case.problems, case.written)


def _lengths(case: Case, checks: Mapping[Place, CheckSpec]) -> None:
    """Limits that no text keeps."""
    for unit in ("chars", "words"):
        lows = {getattr(check, f"min_{unit}", None): place for place, check in checks.items()}
        highs = {getattr(check, f"max_{unit}", None): place for place, check in checks.items()}
        low = max((limit for limit in lows if limit is not None), default=None)
        high = min((limit for limit in highs if limit is not None), default=None)
        if low is not None and high is not None and low > high:
            reason = f"no answer has at least {low} and at most {high} {unit}"
            case.problems.error((*highs[high], f"max_{unit}"), reason, "raise it, or lower the other limit")
