"""The record of an OpenAI Evals run (`oaieval … --record_path`): one JSON event a line, one model a file, as tidy rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tierline.evaluation.datasets.findings import Findings
from tierline.types.errors import EvaluationFailure


class _Spec(msgspec.Struct):
    completion_fns: list[str] = []
    base_eval: str = ""
    eval_name: str = ""


class _Line(msgspec.Struct):
    """A line: the run's spec, an event of one sample, or the final report."""

    spec: _Spec | None = None
    sample_id: str = ""
    type: str = ""
    data: dict[str, Any] = {}


_read = msgspec.json.Decoder(_Line).decode
_GRADES = ("correct", "score", "accuracy")


def is_record(first_line: bytes) -> bool:
    """Whether a file that begins so is such a record."""
    try:
        return _read(first_line).spec is not None
    except msgspec.DecodeError:
        return False


def rows(path: Path, findings: Findings) -> Iterator[dict[str, Any]]:
    """One mapping with canonical columns a graded sample."""
    model, dataset, texts, graded = "", path.stem, {}, {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                event = _read(line)
            except msgspec.DecodeError as error:
                raise EvaluationFailure(f"{path.name}, line {number}: not an event of OpenAI Evals: {error}") from None
            if event.spec is not None:
                model = event.spec.completion_fns[0] if event.spec.completion_fns else path.stem
                dataset = event.spec.base_eval or event.spec.eval_name or dataset
            elif event.type == "sampling":
                texts[event.sample_id] = _text(event.data.get("prompt"))
            elif (grade := _grade(event)) is not None:
                graded[event.sample_id] = grade
    if missing := sorted(texts.keys() - graded.keys()):
        findings.warn(
            "ungraded", f"{path.name}: {len(missing):,} samples carry no {' or '.join(_GRADES)}; they are left out", len(missing), missing
        )
    for sample, score in graded.items():
        yield {"dataset": dataset, "query_id": sample, "query": texts.get(sample), "model": model, "score": score}


def _grade(event: _Line) -> float | None:
    if event.type not in ("match", "metrics"):
        return None
    found = next((event.data[name] for name in _GRADES if name in event.data), None)
    return float(found) if isinstance(found, bool | int | float) else None


def _text(prompt: Any) -> str:
    """The words of the last message of a prompt, which is a text or a list of messages."""
    if isinstance(prompt, list) and prompt:
        last = prompt[-1]
        return str(last.get("content", "")) if isinstance(last, dict) else str(last)
    return "" if prompt is None else str(prompt)
