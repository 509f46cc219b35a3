"""Reading a spec: read → check → resolve. Nothing is returned unless everything holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tierline.config import document, environment, fingerprint, resolve, unavailable
from tierline.config.alerts import webhooks
from tierline.config.arm_specs import arm_specs
from tierline.config.case import Case
from tierline.config.catalogue import shipped
from tierline.config.check import examine
from tierline.config.loaded import Loaded
from tierline.config.problems import Problems
from tierline.config.structure import fit
from tierline.config.validation import schema_files
from tierline.types.access import Endpoint
from tierline.types.catalog import Model
from tierline.types.errors import Problem, SpecInvalid


def load(
    path: Path | str,
    environ: Mapping[str, str] | None = None,
    *,
    need_secrets: bool = True,
    alone: bool = False,
    written: bytes | None = None,
) -> Loaded:
    """The spec at `path`, checked and resolved; `environ` (default: the process's own) is what `${NAME}` reads; `written` is read in the
    file's stead, as if it stood there.

    Raises SpecInvalid with every problem at once; a variable that is not set is one of them, unless `need_secrets` is false: such a
    spec can decide, but not call or be called. `alone`: without the specs of its experiments' arms. Warnings stand in the result."""
    problems, loaded = examine_file(path, environ, need_secrets, alone=alone, written=written)
    if loaded is None:
        raise SpecInvalid(problems)
    return loaded


def check(path: Path | str, environ: Mapping[str, str] | None = None, need_secrets: bool = False) -> tuple[Problem, ...]:
    """Everything wrong with the spec at `path`, errors and warnings, by line. Variables that are not set are problems only with
    `need_secrets`."""
    return examine_file(path, environ, need_secrets)[0]


def examine_file(
    path: Path | str,
    environ: Mapping[str, str] | None = None,
    need_secrets: bool = False,
    *,
    alone: bool = False,
    written: bytes | None = None,
) -> tuple[tuple[Problem, ...], Loaded | None]:
    """Both at once: every problem, and the spec unless one of them is an error. Without `need_secrets` what needs a variable that is
    not set stays as it is written, so such a spec can be looked at but not served. `alone`: without the specs of its experiments' arms."""
    examined = _Examined(Path(path), os.environ if environ is None else environ, need_secrets, written)
    arms: dict[str, Loaded] = {}
    if examined.case is not None and not alone:
        arms = arm_specs(examined.case, lambda other: examine_file(other, environ, need_secrets, alone=True))
    problems = examined.problems.sorted()
    if examined.problems.errors or examined.case is None:
        return problems, None
    spec = fingerprint.without_secrets(examined.case.spec, examined.case.written)
    canonical = fingerprint.canonical(spec)
    scorers = resolve.scorers(examined.case)
    named = schema_files(spec, Path(path).parent) | {name: content.encode() for name, content in scorers.items()}
    parts = fingerprint.parts(canonical, examined.models, shipped().digest, named)
    loaded = Loaded(
        spec=spec,
        path=Path(path),
        models=examined.models,
        providers=examined.endpoints,
        keys=resolve.keys(examined.case),
        fingerprint=fingerprint.fingerprint(parts),
        parts=parts,
        canonical=canonical,
        warnings=problems,
        sources=resolve.sources(examined.case),
        files=resolve.files(examined.case) | scorers,
        scorers=tuple(scorers),
        arms=arms,
        webhooks=webhooks(examined.case.spec.alerts),
    )
    return problems, loaded


class _Examined:
    """One pass over a file: what it says as far as it can be understood, and everything that is wrong with it."""

    def __init__(self, path: Path, environ: Mapping[str, str], need_secrets: bool, text: bytes | None = None) -> None:
        source = document.read(path, text)
        self.problems = Problems(source)
        self.endpoints: dict[str, Endpoint] = {}
        self.models: dict[str, Model] = {}
        self.case: Case | None = None
        if not source.data:
            return
        written = _ordered(unavailable.refuse(source.data, self.problems))
        self._variables(written, environ, need_secrets)
        before = len(self.problems.found)
        spec = fit(environment.fill(written, environ), self.problems, written)
        whole = len(self.problems.found) == before and not source.problems
        self.case = Case(spec, written, environ, self.problems, whole, need_secrets)
        self.endpoints = resolve.endpoints(self.case)
        self.models = resolve.models(self.case, self.endpoints, shipped())
        examine(self.case, self.models)

    def _variables(self, written: Mapping[str, Any], environ: Mapping[str, str], need_secrets: bool) -> None:
        for place, text in environment.texts(written):
            if "${" not in text:
                continue
            if environment.malformed(text):
                self.problems.error(place, "`${` opens no variable", "write ${NAME}, or $${ for a plain ${")
            for name in environment.variables(text):
                if need_secrets and not environ.get(name):
                    state = "empty" if name in environ else "not set"
                    self.problems.error(place, f"the environment variable {name} is {state}", f"set {name} before starting")


def _ordered(data: Any) -> Any:
    """With the keys of every mapping in order, so that nothing can come to depend on the order in the file."""
    if isinstance(data, dict):
        return {key: _ordered(data[key]) for key in sorted(data)}
    return [_ordered(item) for item in data] if isinstance(data, list) else data
