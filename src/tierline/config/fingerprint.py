"""One short digest for everything that decides: the spec, the resolved models and prices, the catalogue.

It does not change with the order of keys, white space, comments or the value of a secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.config import unavailable
from tierline.config.environment import has_placeholder
from tierline.config.secrets import looks_secret
from tierline.config.spec import Spec
from tierline.types.catalog import Model

_DIGITS = 12
_DO_NOT_DECIDE = ("decision_log", "server")
_SECRETS = {"providers": "api_key", "keys": "secret"}


def canonical(spec: Spec, written: Mapping[str, Any]) -> bytes:
    """The spec as JSON with sorted keys and every default, without secrets and without the sections that do not decide.

    `written` is the data as it stands in the file: in `providers` and `keys` a text that reads `${NAME}` stays as it is written,
    so that no secret is kept whichever key it hides under."""
    plain = msgspec.to_builtins(spec, enc_hook=_unit, order="sorted")
    for section in _DO_NOT_DECIDE:
        del plain[section]
    plain = _available(plain, ())
    for section, field in _SECRETS.items():
        plain[section] = _as_written(plain[section], written.get(section, {}))
        for entry in plain[section].values():
            if not has_placeholder(entry.get(field, "")):
                entry[field] = ""
    return msgspec.json.encode(plain, order="sorted")


def digest(content: bytes) -> str:
    """The first twelve hex digits of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def parts(canonical_spec: bytes, models: Mapping[str, Model], catalogue: str) -> dict[str, str]:
    """The digest of each thing that decides: spec, models, prices, catalogue."""
    prices = {name: model.price for name, model in models.items()}
    facts = {name: msgspec.structs.replace(model, price=None) for name, model in models.items()}
    return {
        "spec": digest(canonical_spec),
        "models": digest(msgspec.json.encode(facts, order="sorted")),
        "prices": digest(msgspec.json.encode(prices, order="sorted")),
        "catalogue": catalogue,
    }


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


def _as_written(plain: Any, written: Any) -> Any:
    if isinstance(plain, dict) and isinstance(written, Mapping):
        return {key: _as_written(value, written.get(key)) for key, value in plain.items()}
    if isinstance(plain, str) and isinstance(written, str):
        return "***" if looks_secret(written) else written
    return plain
