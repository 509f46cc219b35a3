"""The presets of well-known providers, read from `presets.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
import yaml


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a provider by its name alone. `key` names the environment variable of its secret; `catalogue` whose
    prices and capabilities apply (None: the preset's own name; empty: nobody's)."""

    dialect: str
    base_url: str
    key: str = ""
    auth: str = "bearer"
    catalogue: str | None = None
    residency: str = "cloud"


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset by name."""
    text = resources.files("tierline.config").joinpath("presets.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), dict[str, Preset])
