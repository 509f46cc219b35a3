"""A spec that has been read, checked and resolved: what the rest of Tierline works on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tierline.config.spec import Spec
from tierline.types.access import Endpoint, Key, Source, Webhook
from tierline.types.catalog import Model
from tierline.types.errors import Problem


class Loaded(msgspec.Struct, frozen=True):
    """A checked spec with everything resolved.

    `keys` maps the SHA-256 digest of a secret → its key; `fingerprint` (12 hex digits) covers everything that decides, `parts`
    holds the digest of each part of it (spec, models, prices, catalogue, trained scorers); `canonical` is the spec as canonical JSON
    without secrets, the form kept beside the log. `sources` are those of tools first with their secrets; `files` holds the digest of each
    table that a tool looks up in and of each trained scorer's file, so that a reload sees that one has changed; `scorers` names the
    latter, relative to the spec. `arms` are the specs that answer for an arm of an experiment, by `<experiment>/<arm>`.
    `webhooks` are told of alerts."""

    spec: Spec
    path: Path
    models: Mapping[str, Model]
    providers: Mapping[str, Endpoint]
    keys: Mapping[bytes, Key]
    fingerprint: str
    parts: Mapping[str, str]
    canonical: bytes
    warnings: tuple[Problem, ...] = ()
    sources: Mapping[str, Source] = {}
    files: Mapping[str, str] = {}
    scorers: tuple[str, ...] = ()
    arms: Mapping[str, Loaded] = {}
    webhooks: tuple[Webhook, ...] = ()
