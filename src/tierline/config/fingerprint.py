"""One short digest for everything that decides: the spec, the resolved models and prices, the catalogue.

It does not change with the order of keys, white space, comments or the value of a secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.config import unavailable
from tierline.config.environment import has_placeholder
from tierline.config.secrets import looks_secret
from tierline.config.spec import AlertsSpec, SourceSpec, Spec
from tierline.types.catalog import Model

_DIGITS = 12
_DO_NOT_DECIDE = ("alerts", "decision_log", "server", "release", "tracing")
_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")
"""A password in an address."""


def without_secrets(spec: Spec, written: Mapping[str, Any]) -> Spec:
    """The spec with every text of `providers`, `keys` and `sources` as it stands in the file, `${NAME}` and all, and with secrets that
    stand in the file itself left out: nothing read from the environment is kept there, whichever key it hides under."""
    providers, keys, sources = (written.get(section, {}) for section in ("providers", "keys", "sources"))
    return msgspec.structs.replace(
        spec,
        providers={name: _unread(provider, providers.get(name), "api_key") for name, provider in spec.providers.items()},
        keys={name: _unread(key, keys.get(name), "secret") for name, key in spec.keys.items()},
        sources={name: _asked(source, sources.get(name)) for name, source in spec.sources.items()},
        alerts=_untold(spec.alerts),
    )


def _untold(alerts: AlertsSpec) -> AlertsSpec:
    """Without anybody to tell: an address may be a secret as a whole, and `Loaded.webhooks` holds them."""
    return msgspec.structs.replace(alerts, webhook="", webhooks=[])


def canonical(spec: Spec) -> bytes:
    """A spec without secrets as JSON with sorted keys and every default, without the sections that do not decide."""
    plain = msgspec.to_builtins(spec, enc_hook=_unit, order="sorted")
    for section in _DO_NOT_DECIDE:
        del plain[section]
    return msgspec.json.encode(_available(plain, ()), order="sorted")


def digest(content: bytes) -> str:
    """The first twelve hex digits of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def parts(canonical_spec: bytes, models: Mapping[str, Model], catalogue: str, files: Mapping[str, bytes] = {}) -> dict[str, str]:
    """The digest of each thing that decides: spec, models, prices, catalogue, and the files that the spec names, where it names any."""
    prices = {name: model.price for name, model in models.items()}
    facts = {name: msgspec.structs.replace(model, price=None) for name, model in models.items()}
    return {
        "spec": digest(canonical_spec),
        "models": digest(msgspec.json.encode(facts, order="sorted")),
        "prices": digest(msgspec.json.encode(prices, order="sorted")),
        "catalogue": catalogue,
    } | ({"files": digest(msgspec.json.encode(dict(files), order="sorted"))} if files else {})


def fingerprint(digests: Mapping[str, str]) -> str:
    """One digest for all parts."""
    return digest(msgspec.json.encode(dict(digests), order="sorted"))


def _unit(value: Any) -> Any:
    """Durations as seconds, sizes as bytes."""
    return float(value) if isinstance(value, float) else int(value)


def _available(plain: Any, path: tuple[str, ...]) -> Any:
    """Without the keys that nobody may write yet: their defaults are not part of the language."""
    if not isinstance(plain, dict):
        return plain
    return {key: _available(value, (*path, key)) for key, value in plain.items() if not unavailable.covers((*path, key))}


def _unread(entry: Any, written: Any, secret: str) -> Any:
    """One entry with its texts as they are written."""
    fields = {field: _as_written(getattr(entry, field), written.get(field)) for field in entry.__struct_fields__}
    if not has_placeholder(fields[secret]):
        fields[secret] = ""
    if "api_keys" in fields:
        fields["api_keys"] = [text if has_placeholder(text) else "" for text in fields["api_keys"]]
    return msgspec.structs.replace(entry, **fields)


def _asked(source: SourceSpec, written: Any) -> SourceSpec:
    """One source with its texts as they are written, and its address without a password."""
    fields = {field: _as_written(getattr(source, field), written.get(field)) for field in source.__struct_fields__}
    fields["url"] = _PASSWORD.sub(r"\1***@", written.get("url", ""))
    return msgspec.structs.replace(source, **fields)


def _as_written(value: Any, written: Any) -> Any:
    if isinstance(value, str) and isinstance(written, str):
        return "***" if looks_secret(written) else written
    if isinstance(value, dict) and isinstance(written, Mapping):
        return {key: _as_written(item, written.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(written, list) and len(value) == len(written):
        return [_as_written(*pair) for pair in zip(value, written, strict=True)]
    return value
