"""The presets of well-known providers, read from `presets.yaml`, and their page in the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import msgspec
import yaml

from tierline.config.sign_in import LIBRARIES


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a provider by its name alone. `base_url` may read variables; `key` names the variable of its secret;
    `catalogue` whose prices and capabilities apply (None: the preset's own name; empty: nobody's)."""

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


def page() -> str:
    """The page of the reference in Markdown: a row a preset."""
    return "\n".join([*_HEAD, *_rows(), ""])


_HEAD = (
    "# Presets of providers",
    "",
    "Generated from `presets.yaml` by `tierline schema --reference docs/reference`; do not edit.",
    "",
    "A provider that bears one of these names takes all of its row; every field can be overridden in the spec.",
    "Variables in an address and the key's variable are read when the gateway starts; `tierline check` needs none of them.",
    "How to use them stands in [Add a provider](../how-to/add-a-provider.md).",
    "",
    "| preset | address | key | signs in by | dialect | prices and capabilities |",
    "|---|---|---|---|---|---|",
)


def _rows() -> Iterator[str]:
    for name, preset in sorted(presets().items()):
        key = f"`{preset.key}`" if preset.key else ""
        facts = "give them in the spec" if preset.catalogue == "" else "in the catalogue"
        yield f"| `{name}` | `{preset.base_url}` | {key} | {_signs_in(preset)} | `{preset.dialect}` | {facts} |"


def _signs_in(preset: Preset) -> str:
    if preset.auth in LIBRARIES:
        return f"`{preset.auth}`: tokens of {LIBRARIES[preset.auth].package}"
    if not preset.key:
        return "`api_key`, where the spec gives one"
    return "`Authorization: Bearer`" if preset.auth == "bearer" else f"the header `{preset.auth}`"
