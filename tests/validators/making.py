"""Validators as a spec makes them, for their tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from config.spec_text import FLEET
from tierline import plugins
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.config.validation import checks_of
from tierline.interfaces import Validator
from tierline.testing.findings import of
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding

ORDER = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "items": {"type": "array", "items": {"type": "string"}}},
    "required": ["id"],
    "additionalProperties": False,
}


def made(entry: dict[str, Any], models: tuple[str, ...] = ("mini", "full")) -> Validator:
    """The validator of one entry of a task of the ladder mini → full, checked as any spec is."""
    return _made(yaml.safe_dump(entry, sort_keys=True), models)


@cache
def _made(entry: str, models: tuple[str, ...]) -> Validator:
    loaded = _loaded(entry, models)
    check = checks_of("t", loaded.spec.tasks["t"].validate)[0]
    validator: Validator = plugins.find("validators", check.kind)(check, loaded)
    return validator


def found(entry: dict[str, Any], exchange: Exchange, reply: str = "", ok: bool = True) -> Finding:
    """What it finds, every model it asks saying `reply`."""
    return of(made(entry), exchange, reply, ok)


def _loaded(entry: str, models: tuple[str, ...]) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        spec = yaml.safe_load(FLEET) | {"tasks": {"t": {"why": "x", "models": list(models), "validate": [yaml.safe_load(entry)]}}}
        path = Path(folder) / "tierline.yaml"
        path.write_text(yaml.safe_dump(spec))
        return load(path, {}, need_secrets=False)
