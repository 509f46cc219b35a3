"""Requests of a file that were not sent yet: what they say, and how the spec would decide them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tierline.evaluation.discover.asked import Asked, Gathered
from tierline.evaluation.discover.sample import Sample, lot
from tierline.evaluation.simulate.workload import Sent, of_file
from tierline.routing.router import Router
from tierline.types.view import NO_VIEW


def from_requests(router: Router, path: Path, *, most: int, seed: int = 0, texts: bool = True) -> Gathered:
    """A draw of the requests of a JSONL file (chat bodies or prompts, as `tierline simulate` reads them). Models, tokens and costs are what
    the spec would come to. Raises EvaluationFailure with the number of a line that cannot be sent."""
    sample = Sample[tuple[Sent, bytes]](most)
    with path.open("rb") as lines:
        written = (line for line in lines if line.strip())
        for sent, line in zip(of_file(router, path), written, strict=True):
            drawn = lot(seed, sent.query)
            if sample.wants(drawn):
                sample.keep(drawn, sent.query, (sent, line))
    return Gathered(path.name, tuple(_asked(router, *one, texts) for one in sample.taken()), sample.seen, False)


def _asked(router: Router, sent: Sent, line: bytes, texts: bool) -> Asked:
    decision = router.decide(sent.features, sent.scores, NO_VIEW)
    first = decision.steps[0] if decision.steps else None
    text, system = _words(msgspec.json.decode(line)) if texts else (None, None)
    return Asked(
        sent.query,
        sent.features,
        decision.task or sent.features.hints.task,
        decision.target,
        first.costs[0] if first is not None and first.costs else 0.0,
        sent.features.input_tokens,
        sent.features.output_tokens,
        text=text,
        system=system,
    )


def _words(given: dict[str, Any]) -> tuple[str, str]:
    """What the user said last, and the system prompt."""
    if "messages" not in given:
        return str(given["prompt"]), str(given.get("system", ""))
    said = [(str(turn.get("role", "")), _text(turn.get("content"))) for turn in given["messages"]]
    asked = [text for role, text in said if role == "user" and text]
    return (asked or [""])[-1], "\n".join(text for role, text in said if role in ("system", "developer"))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)
