"""What a check costs: each kind that asks nobody, on answers of three sorts. `python -m bench validators`.

The reference of the same run is reading the answer's JSON (or failing to) with msgspec, and splitting it into words."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from rich.console import Console
from rich.table import Table

from tierline import plugins
from tierline.config.load import load
from tierline.config.validation import checks_of
from tierline.interfaces import Validator
from tierline.testing.exchanges import exchange
from tierline.types.ask import Exchange
from tierline.types.conversation import ToolCall
from tierline.types.request import Message, Text, Tool

ORDER = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "items": {"type": "array", "items": {"type": "object", "required": ["sku"]}}},
    "required": ["order", "items"],
}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "schema": {"schema": ORDER},
    "json": {"json": "object"},
    "fields": {"fields": ["order", "items.*.sku"]},
    "pattern": {"pattern": r"ORD-\d+"},
    "not_pattern": {"not_pattern": r"(?i)internal use only"},
    "max_chars": {"max_chars": 4000},
    "max_words": {"max_words": 800},
    "phrases": {"phrases": {"restricted": [f"forbidden phrase {n}" for n in range(50)]}},
    "citations": {"citations": 1, "support": 0.4},
    "tools": {"tools": "valid"},
    "refusal": {"refusal": "any"},
    "complete": {"complete": "all"},
    "language": {"language": "same"},
    "confidence": {"confidence": 0.1},
    "code": {"code": "any"},
    "tool_success": {"tool_success": 3},
    "toxicity": {"toxicity": 0.9},
}
_SENTENCE = "The order ORD-{n} was packed in the northern warehouse and handed to the carrier on the same day [{mark}]. "
_PROSE = "".join(_SENTENCE.format(n=100 + n, mark=1 + n % 3) for n in range(14))
_ITEMS = {"order": "ORD-17", "items": [{"sku": f"A-{n}", "count": n, "name": "A thing with a name of some length"} for n in range(18)]}
_CODE = (
    "Use this:\n\n```python\n" + "\n".join(f"def step_{n}(value: int) -> int:\n    return value * {n} + 1\n" for n in range(24)) + "```\n"
)
_SOURCES = "\n".join(f"[{n}] The northern warehouse hands an order to the carrier on the same day. " * 6 for n in range(1, 6))
_TOOL = Tool(
    "track", parameters=msgspec.json.encode({"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]})
)
_LOGPROBS = msgspec.json.encode({"content": [{"token": "word", "logprob": -0.1, "bytes": [1, 2], "top_logprobs": []} for _ in range(250)]})


def exchanges() -> dict[str, Exchange]:
    """Three answers of about 1,500 characters, each in the same conversation of 2.3 KB."""
    ask = [Message("system", (Text(_SOURCES),)), Message("user", (Text("When was my order handed to the carrier, please?"),))]
    fenced = f"```json\n{msgspec.json.encode(_ITEMS).decode()}\n```"
    made = {"prose": _PROSE, "fenced JSON": fenced, "code": _CODE}
    return {name: exchange(text, ask, tools=(_TOOL,), logprobs=_LOGPROBS) for name, text in made.items()}


def validators(folder: Path) -> dict[str, Validator]:
    """One of each kind, as a spec makes them."""
    spec = {
        "version": 1,
        "providers": {"openai": {}},
        "models": {"mini": {"provider": "openai", "model": "gpt-5-mini", "tier": "fast"}},
        "tiers": ["fast"],
        "tasks": {"t": {"why": "the benchmark", "validate": [dict(entry) for entry in KINDS.values()]}},
    }
    path = folder / "tierline.yaml"
    path.write_text(yaml.safe_dump(spec))
    loaded = load(path, {}, need_secrets=False)
    return {check.kind: plugins.find("validators", check.kind)(check, loaded) for check in checks_of("t", loaded.spec.tasks["t"].validate)}


def microseconds(act: Callable[[], object], seconds: float = 0.15) -> float:
    """The median of single calls, over so many seconds and at least five calls."""
    act()
    took: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < 5 or time.perf_counter() < end:
        started = time.perf_counter()
        act()
        took.append(time.perf_counter() - started)
    return 1e6 * statistics.median(took)


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def main() -> None:
    """The table."""
    about = exchanges()
    called = exchange(parts=(ToolCall("1", "track", '{"order": "ORD-17"}'),), tools=(_TOOL,), finish="tool_calls")
    table = Table(
        "kind", *(f"{name}, µs" for name in about), title=f"µs an answer; {', '.join(str(len(e.text)) for e in about.values())} characters"
    )
    with tempfile.TemporaryDirectory() as folder:
        made = validators(Path(folder))
    for kind, validator in made.items():
        shown = dict.fromkeys(about, called) if kind == "tools" else about
        table.add_row(kind, *(f"{microseconds(lambda v=validator, e=e: v.check(e)):.1f}" for e in shown.values()))  # type: ignore[misc]
    table.add_row("reference: msgspec decodes it", *(f"{microseconds(lambda e=e: _decoded(e.text)):.1f}" for e in about.values()))  # type: ignore[misc]
    table.add_row("reference: str.split", *(f"{microseconds(lambda e=e: e.text.split()):.1f}" for e in about.values()))  # type: ignore[misc]
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
