"""A gate's verdict as text, JSON, JUnit XML and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal
from xml.etree import ElementTree

import msgspec

from tierline.evaluation.gate.bars import WAIVED, Check, Verdict

Form = Literal["text", "json", "junit", "markdown"]


def text(verdict: Verdict) -> str:
    """A line a missed bar, and the sum."""
    missed = [check for check in verdict.checks if not check.met]
    lines = [f"missed: {check}" for check in missed]
    lines += [f"note: {WAIVED}"] if verdict.waived else []
    return "\n".join((*lines, f"{_outcome(verdict)} {len(verdict.checks) - len(missed)} of {len(verdict.checks)} bars are met"))


def as_json(verdict: Verdict) -> str:
    """`{"passed", "candidates", "waived", "checks": [{figure, value, wanted, met, why, missing}]}`."""
    whole = {"passed": verdict.passed, **msgspec.to_builtins(verdict)}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def junit(verdict: Verdict) -> str:
    """One test case a bar, as continuous integration shows them."""
    missed = sum(not check.met for check in verdict.checks)
    suite = ElementTree.Element(
        "testsuite", name="tierline evaluate --gate", tests=str(len(verdict.checks)), failures=str(missed), errors="0"
    )
    for check in verdict.checks:
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name=f"{check.figure} {check.wanted}")
        if not check.met:
            ElementTree.SubElement(case, "failure", message=str(check)).text = check.why
    if verdict.waived:
        ElementTree.SubElement(suite, "system-out").text = WAIVED
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode")


def markdown(verdict: Verdict) -> str:
    """A table for a pull request: missed bars first."""
    rows = sorted(verdict.checks, key=lambda check: check.met)
    lines = [
        f"### {_outcome(verdict)} {', '.join(f'`{name}`' for name in verdict.candidates)}",
        "",
        "| | figure | is | wanted | why |",
        "|---|---|---|---|---|",
        *(
            f"| {'✅' if check.met else '❌'} | `{check.figure}` | {_value(check)} | {check.wanted} | {_cell(check.why)} |"
            for check in rows
        ),
    ]
    return "\n".join([*lines, *(["", f"> {WAIVED}"] if verdict.waived else [])])


FORMS: Mapping[Form, Callable[[Verdict], str]] = {"text": text, "json": as_json, "junit": junit, "markdown": markdown}


def _outcome(verdict: Verdict) -> str:
    return "gate passed:" if verdict.passed else "gate missed:"


def _value(check: Check) -> str:
    return _cell(check.missing or "null") if check.value is None else f"{check.value:.6g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
