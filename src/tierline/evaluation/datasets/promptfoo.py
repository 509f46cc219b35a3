"""promptfoo's results (`promptfoo eval --output results.json`, versions 2 and 3) as tidy rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tierline.evaluation.datasets.findings import Findings
from tierline.types.errors import EvaluationFailure


class _Usage(msgspec.Struct, rename="camel"):
    prompt: float | None = None
    completion: float | None = None


class _Response(msgspec.Struct, rename="camel"):
    token_usage: _Usage = msgspec.field(default_factory=_Usage)


class _Prompt(msgspec.Struct):
    raw: str = ""


class _Provider(msgspec.Struct):
    id: str = ""
    label: str | None = None


class _Result(msgspec.Struct, rename="camel"):
    """One cell: a provider's answer to a prompt with its variables, and how it was graded."""

    provider: _Provider | str = ""
    prompt: _Prompt = msgspec.field(default_factory=_Prompt)
    vars: dict[str, Any] = {}
    success: bool = False
    score: float | None = None
    cost: float | None = None
    latency_ms: float | None = None
    error: Any = None
    failure_reason: int | None = None
    test_idx: int | None = None
    prompt_idx: int | None = None
    response: _Response | None = None

    @property
    def model(self) -> str:
        """The provider's label, or its id."""
        return self.provider if isinstance(self.provider, str) else self.provider.label or self.provider.id

    @property
    def broken(self) -> bool:
        """The provider gave no answer: nothing was measured."""
        return self.failure_reason == _ERROR or (self.failure_reason is None and self.response is None and bool(self.error))


class _Summary(msgspec.Struct):
    results: list[_Result]


class _File(msgspec.Struct):
    results: _Summary | list[_Result]


_ERROR = 2
"""promptfoo's `failureReason` of a call that failed; 1 is an answer that an assertion rejected."""

_read = msgspec.json.Decoder(_File).decode


def rows(path: Path, findings: Findings) -> Iterator[dict[str, Any]]:
    """One mapping with canonical columns a cell. Calls that failed are left out, and said to be."""
    try:
        read = _read(path.read_bytes()).results
    except msgspec.DecodeError as error:
        raise EvaluationFailure(f"{path.name} is JSON, but not promptfoo's results: {error}") from None
    results = read.results if isinstance(read, _Summary) else read
    broken = [result for result in results if result.broken]
    if broken:
        findings.warn(
            "failed_calls", f"{path.name}: {len(broken):,} calls failed and measured nothing; their cells are left empty", len(broken)
        )
    for result in results:
        if not result.broken:
            yield _row(result, path.stem)


def _row(result: _Result, dataset: str) -> dict[str, Any]:
    usage = _Usage() if result.response is None else result.response.token_usage
    text = result.prompt.raw or " ".join(map(str, result.vars.values()))
    return {
        "dataset": dataset,
        "query_id": None if result.test_idx is None else f"{result.prompt_idx or 0}/{result.test_idx}",
        "query": text,
        "task": str(result.vars.get("task", "")) or None,
        "model": result.model,
        "score": float(result.success) if result.score is None else result.score,
        "cost": result.cost,
        "latency": None if result.latency_ms is None else result.latency_ms / 1000,
        "input_tokens": usage.prompt,
        "output_tokens": usage.completion,
    }
