"""A loaded spec → a gateway: the only place that knows every organ, each by the name under which it is registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from tierline import plugins
from tierline.config.loaded import Loaded
from tierline.config.scorers import scorers_of
from tierline.config.validation import all_checks
from tierline.gateway.gateway import Gateway
from tierline.gateway.means import Lane, Means, ladder_of
from tierline.gateway.shadow.pool import Pool
from tierline.gateway.shadow.shadows import Shadows
from tierline.gateway.tools_first import ToolsFirst
from tierline.interfaces import DecisionLog, Dialect, Provider, Shared, Validator
from tierline.routing.reach import reach
from tierline.routing.router import Router
from tierline.state.world import World
from tierline.types.access import Endpoint
from tierline.types.record import Record
from tierline.validators.normalise import normalised_all

WANTED: Mapping[str, tuple[tuple[str, str], ...]] = {"anthropic_messages": (("anthropic-version", "2023-06-01"),)}
"""Dialect → headers that its upstreams refuse to do without; a provider's own `headers`, and the client's, take their place."""


def assemble(
    loaded: Loaded,
    world: World,
    log: DecisionLog,
    observe: Callable[[Record], None],
    before: Gateway | None = None,
    pool: Pool | None = None,
) -> Gateway:
    """The gateway of one spec, with those of its experiments' arms. Providers of the gateway `before` it go on where their endpoint is
    unchanged, and so does an arm's gateway where its spec is. Shadows run in `pool`; without one, nothing answers beside."""
    providers = _providers(loaded, {} if before is None else providers_of(before))
    dialects = all_dialects() if before is None else before.dialects
    router = Router(loaded)
    lanes = {name: _lane(loaded, name, providers, dialects) for name in loaded.models}
    means = Means(lanes, validators_of(loaded), partial(reach, router.policy), ladder_of(lanes, loaded.spec.tiers), normalised_all)
    drawn = any(route.shadow is not None for route in router.policy.routes.values())
    shadows = Shadows(loaded, means, world, dialects, pool) if drawn and pool is not None else None
    gateway = Gateway(loaded, router, means, scorers_of(loaded), dialects, world, log, observe, ToolsFirst(loaded), shadows)
    if loaded.arms:
        known = {} if before is None else before.elsewhere
        gateway.elsewhere = {
            arm: known[arm] if arm in known and known[arm].loaded == other else _arm(other, world, log, observe, gateway, pool)
            for arm, other in loaded.arms.items()
        }
    return gateway


def _arm(loaded: Loaded, world: World, log: DecisionLog, observe: Callable[[Record], None], beside: Gateway, pool: Pool | None) -> Gateway:
    """The gateway of an arm's own spec."""
    return assemble(loaded, world.beside(loaded), log, observe, beside, pool)


DAY = 86400.0


def validators_of(loaded: Loaded) -> dict[str, Validator]:
    """Every validator of the spec's tasks and routes, by its name; raises PluginMissing for a kind that nobody registers."""
    checks = all_checks(loaded.spec)
    kinds = plugins.find_all("validators", {check.kind for check in checks})
    return {check.name: kinds[check.kind](check, loaded) for check in checks}


def all_dialects() -> dict[str, Dialect]:
    """Every registered dialect: a client may come with any of them."""
    return {name: found() for name, found in plugins.find_all("dialects", plugins.names("dialects")).items()}


def log_path(loaded: Loaded) -> Path:
    """Where the spec keeps its decision log; the ledger is in the same file, or in the database that the rows go on to."""
    return loaded.path.parent / loaded.spec.decision_log.path


def ledger_at(loaded: Loaded, path: Path) -> Path | str:
    """Where the ledger is that goes with the log at `path`: in the database that replicas share, else in the same file."""
    return loaded.spec.decision_log.url or path


def read_at(loaded: Loaded, path: Path) -> Path | str:
    """Where log and ledger are read by those who read much: in the database or its replica, else in the file."""
    spec = loaded.spec.decision_log
    return spec.read_url or spec.url or path


def open_log(loaded: Loaded, path: Path) -> DecisionLog:
    """The decision log at `path`, kept as the spec says; raises LogFailure."""
    spec = loaded.spec.decision_log
    kept: dict[str, Any] = {"retention": spec.retention, "text_retention": spec.text_retention, "max_queue": spec.max_queue}
    if not spec.url:
        return cast(DecisionLog, plugins.find("decision_logs", "sqlite")(path, **kept))
    shared = {"url": spec.url, "read_url": spec.read_url, "keep_local": float(spec.keep_local), "max_backlog": spec.max_backlog}
    return cast(DecisionLog, plugins.find("decision_logs", "postgres")(path, **kept, **shared))


def evidence_kept(loaded: Loaded) -> float | None:
    """For how many seconds shadows' rows and labels are kept; None: for ever. A day at least: shadows' budgets are counted from them."""
    spec = loaded.spec.decision_log
    kept = spec.retention if spec.evidence_retention is None else spec.evidence_retention
    return None if kept is None else max(float(kept), DAY)


def open_shared(loaded: Loaded) -> Shared | None:
    """What replicas share, where the spec names an engine for it; it is not reached yet."""
    spec = loaded.spec.shared
    if not spec.url:
        return None
    ca = str(loaded.path.parent / spec.ca) if spec.ca else ""
    made = plugins.find("shared", "valkey")(spec.url, prefix=spec.prefix, timeout=float(spec.timeout), cluster=spec.cluster, ca=ca)
    return cast(Shared, made)


def logs_of(loaded: Loaded, path: Path) -> tuple[Path | str, ...]:
    """Where the log is read: the file, and the database that it goes on to, where there is one."""
    spec = loaded.spec.decision_log
    return (path, spec.read_url or spec.url) if spec.url else (path,)


def providers_of(gateway: Gateway) -> dict[str, tuple[Endpoint, Provider]]:
    """The providers that a gateway's models are reached through, by name."""
    return {lane.endpoint.name: (lane.endpoint, lane.provider) for lane in gateway.lanes.values()}


def held_by(gateway: Gateway) -> list[Provider | ToolsFirst]:
    """Everything that a gateway and those of its arms keep open, once each."""
    held: list[Provider | ToolsFirst] = []
    for one in (gateway, *gateway.elsewhere.values()):
        held.extend(provider for _, provider in providers_of(one).values() if provider not in held)
        held.append(one.tools)
    return held


def _providers(loaded: Loaded, before: Mapping[str, tuple[Endpoint, Provider]]) -> dict[str, Provider]:
    endpoints = {name: loaded.providers[name] for name in sorted({model.provider for model in loaded.models.values()})}
    kinds = plugins.find_all("providers", {endpoint.kind for endpoint in endpoints.values()})
    providers: dict[str, Provider] = {}
    for name, endpoint in endpoints.items():
        known, provider = before.get(name, (None, None))
        providers[name] = provider if provider is not None and known == endpoint else kinds[endpoint.kind](endpoint)
    return providers


def _lane(loaded: Loaded, name: str, providers: Mapping[str, Provider], dialects: Mapping[str, Dialect]) -> Lane:
    model = loaded.models[name]
    endpoint = loaded.providers[model.provider]
    given = {header.lower() for header, _ in endpoint.headers}
    wanted = tuple(pair for pair in WANTED.get(endpoint.dialect, ()) if pair[0] not in given)
    return Lane(model, endpoint, providers[model.provider], dialects[endpoint.dialect], wanted)
