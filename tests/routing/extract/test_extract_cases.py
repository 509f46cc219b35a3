"""Golden cases: messages in, a part of the features out. Each file of `cases/` is a list of {name, spec?, turns | request, expect}."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from routing.extract.asking import request
from tierline.routing.extract import Extractor
from tierline.testing import builders

CASES = [
    (path.stem, case)
    for path in sorted(Path(__file__).parent.glob("cases/*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


def holds(seen: Any, wanted: Any) -> bool:
    """Equal, or within {"above": …, "below": …}, or holding all of {"with": [...]} and nothing of {"without": [...]}."""
    if not isinstance(wanted, dict):
        return bool(seen == wanted)
    checks = {
        "above": lambda bound: seen > bound,
        "below": lambda bound: seen < bound,
        "with": lambda words: set(words) <= set(seen),
        "without": lambda words: not set(words) & set(seen),
    }
    if not wanted or not wanted.keys() <= checks.keys():
        return bool(seen == wanted)
    return all(checks[name](bound) for name, bound in wanted.items())


def view(seen: Any) -> dict[str, Any]:
    plain = msgspec.to_builtins(seen)
    fields = {name: getattr(seen, name) for name in seen.__struct_fields__}
    return {
        **fields,
        **plain,
        "difficulty": seen.complexity.score,
        "parts": dict(seen.complexity.parts),
        "needs": list(seen.needs),
        "operations": list(seen.operations),
    }


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}: {case['name']}" for file, case in CASES])
def test_a_request_has_these_features(file: str, case: dict[str, Any]) -> None:
    extract = Extractor(builders.loaded(case.get("spec")))
    seen = view(extract(request(*case.get("turns", ()), **case.get("request", {}))))
    wrong = {name: seen[name] for name, wanted in case["expect"].items() if not holds(seen[name], wanted)}
    assert not wrong, f"{case['name']}: {wrong}, parts {seen['parts']}"
