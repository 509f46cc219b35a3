"""What the checks of meaning look at: a spec of the right shape, the names it declares, and where to report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.config.problems import Problems
from tierline.config.spec import Spec


class Case(msgspec.Struct, frozen=True):
    """A spec under examination.

    `written` is the data with its `${NAME}`s as they stand in the file, `environ` what they are read from. `whole` is false when
    something did not fit the spec's shape and is missing from `spec`: then nothing may be concluded from what is absent."""

    spec: Spec
    written: Mapping[str, Any]
    environ: Mapping[str, str]
    problems: Problems
    whole: bool
    need_secrets: bool = False

    def names(self, section: str) -> frozenset[str]:
        """The names that a section declares, those of entries that did not fit included."""
        declared = self.written.get(section)
        return frozenset(declared) if isinstance(declared, dict) else frozenset()

    @property
    def models(self) -> frozenset[str]:
        """Names of models."""
        return self.names("models")

    @property
    def tasks(self) -> frozenset[str]:
        """Names of tasks."""
        return self.names("tasks")

    @property
    def routes(self) -> frozenset[str]:
        """Names of routes; `auto` is always there."""
        return self.names("routes") | {"auto"}

    def as_written(self, *place: str | int) -> str:
        """The text at a place as it stands in the file; empty where there is none."""
        at: Any = self.written
        for part in place:
            if isinstance(at, Mapping):
                at = at.get(part)
            else:
                at = at[part] if isinstance(at, list) and isinstance(part, int) and part < len(at) else None
        return at if isinstance(at, str) else ""
