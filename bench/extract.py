"""Microseconds for one call of the extractor: p50 and p95 over many calls, on requests of several sizes. `python bench/extract.py`"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import Spec
from tierline.config.units import Duration
from tierline.routing.extract import Extractor
from tierline.scoring.hints import HintScorer
from tierline.types.features import Features
from tierline.types.request import Message, Request, Role, Text

SPEC = {
    "version": 1,
    "models": {"mini": {"provider": "p", "model": "m", "tier": "fast"}},
    "signals": {"anger": {"keywords": ["refund", "lawyer", "unacceptable"], "patterns": ["(?i)speak to (a|your) (manager|human)"]}},
    "tasks": {
        "order_extraction": {"why": "w", "match": {"keywords": ["order", "shipment"], "system_prompt": "Extract the order*"}},
        "policy": {
            "why": "w",
            "match": {"keywords": ["policy", "refund policy", "warranty"], "patterns": [r"(?i)am I (entitled|allowed)"]},
        },
        "triage": {"why": "w", "match": {"keywords": ["urgent", "ticket"], "operation": "classification"}},
    },
}
SYSTEM = (
    "You are the assistant of a shop for outdoor gear. Answer politely and keep to the facts that the customer or the catalogue gives. "
    "Never promise a date of delivery. When a question is about money, name the currency. If you are not sure, say so and offer to hand "
    "the customer over to a person. Write in the language of the customer, and keep answers under two hundred words unless asked for more."
)
TURN = (
    "I ordered two tents and a stove last week, and only one of the tents has come so far. The tracking page says that the second parcel "
    "was handed over to the carrier on Tuesday, but the carrier does not know the number. Could you find out where it is, and explain "
    "what my options are if it does not arrive before the weekend? We leave on Friday evening, so a refund would not help me at all. "
    "Also, does the stove work with the small gas cartridges (the 230 g ones), or must I buy the adapter that your page mentions? "
)
CHINESE = "我上周订购了两顶帐篷和一个炉子,到目前为止只收到了一顶帐篷。请分析一下可能的原因,并告诉我如果周末之前没有送到,我有哪些选择。"


def chat(size: int, turn: str = TURN, system: str = SYSTEM) -> Request:
    """A system prompt and three turns, `size` characters in all."""
    each = max((size - len(system)) // 3, 1)
    text = (turn * (each // len(turn) + 1))[:each]
    roles: tuple[tuple[Role, str], ...] = (("system", system), ("user", text), ("assistant", text), ("user", text))
    return Request(id="req-1", dialect="openai_chat", model="auto", messages=tuple(Message(role, (Text(body),)) for role, body in roles))


def measure(call: Callable[[int], Features], rounds: int = 3_000) -> tuple[float, float]:
    """p50 and p95 in microseconds."""
    for index in range(300):
        call(index)
    taken = []
    for index in range(rounds):
        start = time.perf_counter_ns()
        call(index)
        taken.append((time.perf_counter_ns() - start) / 1_000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def main() -> None:
    spec = msgspec.convert(SPEC, Spec, dec_hook=lambda _, value: Duration.parse(value))
    loaded = Loaded(spec=spec, path=Path("bench.yaml"), models={}, providers={}, keys={}, fingerprint="", parts={}, canonical=b"")
    extract, scorer = Extractor(loaded), HintScorer(loaded, 0.6)
    shapes = {
        "2 KB chat": chat(2_000),
        "10 KB chat": chat(10_000),
        "50 KB chat": chat(50_000),
        "2 K characters Chinese": chat(2_000, CHINESE, CHINESE * 6),
        "one short question": Request(
            id="r", dialect="openai_chat", model="auto", messages=(Message("user", (Text("What is the capital of France?"),)),)
        ),
    }
    print(f"{'request':42s} {'p50 µs':>8s} {'p95 µs':>8s}")
    for name, request in shapes.items():
        p50, p95 = measure(lambda _, request=request: extract(request))  # type: ignore[misc]
        print(f"{name:42s} {p50:8.1f} {p95:8.1f}")
    fresh = [chat(2_000, system=f"{SYSTEM[:-12]}{index:012d}") for index in range(3_300)]
    seen = iter(fresh)
    p50, p95 = measure(lambda _: extract(next(seen)))
    print(f"{'2 KB chat, a system prompt never seen':42s} {p50:8.1f} {p95:8.1f}")
    features = extract(shapes["2 KB chat"])
    p50, p95 = measure(lambda _: (scorer.score(shapes["2 KB chat"], features), features)[1])
    print(f"{'hint scorer':42s} {p50:8.1f} {p95:8.1f}")


if __name__ == "__main__":
    sys.exit(main())
