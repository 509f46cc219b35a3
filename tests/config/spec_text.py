"""Writing small specs for the tests of their check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tierline.config.load import check
from tierline.types.errors import Problem

FLEET = """\
version: 1
providers:
  openai: {}
  house: {base_url: "http://house:8000/v1", residency: on_prem, region: eu}
models:
  mini: {provider: openai, model: gpt-5-mini, tier: fast}
  full: {provider: openai, model: gpt-5, tier: best}
  own: {provider: house, tier: fast, price: {input: 0, output: 0}, capabilities: [tools]}
tiers: [fast, best]
"""
"""A spec without a problem, to which a test adds one."""

HERE = "# HERE"
"""Marks the line on which a problem is expected."""


def problems(folder: Path, text: str, environ: dict[str, str] | None = None, need_secrets: bool = False) -> Sequence[Problem]:
    """Everything wrong with a spec of this text."""
    file = folder / "tierline.yaml"
    file.write_text(text, encoding="utf-8")
    return check(file, environ or {}, need_secrets)


def marked_line(text: str) -> int:
    """The line that bears the mark."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if HERE in line)
