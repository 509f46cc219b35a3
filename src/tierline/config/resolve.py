"""From what a person wrote to what the router works on: presets merged, prices and capabilities looked up, secrets read."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tierline.config import answer_table, environment
from tierline.config.case import Case
from tierline.config.catalogue import Catalogue, Facts
from tierline.config.plugin_names import registered
from tierline.config.presets import Preset, presets
from tierline.config.problems import did_you_mean
from tierline.config.sign_in import LIBRARIES, aws_scope
from tierline.config.spec import ModelSpec, ProviderSpec, RateSpec
from tierline.types.access import Endpoint, Key, Rate, Source
from tierline.types.catalog import Model, Price
from tierline.types.features import CAPABILITIES

ASSUMED = ("chat", "tools", "json_object")
"""What a model that nobody knows is taken to be able to do."""

SIGNS_IN: Mapping[str, str] = {"anthropic_messages": "x-api-key", "gemini": "x-goog-api-key"}
"""Dialect → the header of its secret, for a provider that no preset knows; every other dialect takes a bearer token."""

PERIODS: Mapping[str, float] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
"""`rate.per` → seconds."""

_NO_PRESET = Preset(dialect="openai_chat", base_url="", catalogue="", residency="")


def preset_of(name: str, provider: ProviderSpec) -> Preset:
    """The preset that a provider starts from: the one it names, else the one it is named like; an empty one where there is none."""
    if provider.kind != "http":
        return _NO_PRESET
    return presets().get(provider.preset or name, _NO_PRESET)


def endpoints(case: Case) -> dict[str, Endpoint]:
    """Every provider of the spec, resolved."""
    return {name: _endpoint(case, name, provider) for name, provider in case.spec.providers.items()}


def _endpoint(case: Case, name: str, provider: ProviderSpec) -> Endpoint:
    preset = preset_of(name, provider)
    dialect = provider.dialect or preset.dialect
    auth = provider.auth or (SIGNS_IN.get(dialect, preset.auth) if preset is _NO_PRESET else preset.auth)
    base_urls = [url.rstrip("/") for url in provider.base_urls or [provider.base_url or _preset_address(case, name, preset)]]
    if provider.kind == "http":
        _check_addresses(case, name, provider, base_urls)
        _check_dialect(case, name, provider, dialect)
        for base_url in base_urls:
            _check_sign_in(case, name, auth, base_url)
    secrets = [""] if auth == "none" or auth in LIBRARIES else _secrets(case, name, provider, preset)
    return Endpoint(
        name=name,
        kind=provider.kind,
        dialect=dialect,
        base_url=base_urls[0],
        auth=auth if secrets[0] or auth in LIBRARIES else "none",
        secret=secrets[0],
        base_urls=tuple(base_urls) if len(base_urls) > 1 else (),
        secrets=tuple(secrets) if len(secrets) > 1 else (),
        credentials=_beside(case, provider.credentials),
        headers=tuple(provider.headers.items()),
        residency=provider.residency or preset.residency,
        region=provider.region,
        connect_timeout=float(provider.connect_timeout),
        timeout=float(provider.timeout),
        idle_timeout=float(provider.idle_timeout),
        table=_beside(case, provider.table),
        script=provider.script,
    )


def _beside(case: Case, file: str) -> str:
    """The path of a file that the spec names; empty for none."""
    return str(Path(case.problems.file).parent / file) if file else ""


def _preset_address(case: Case, name: str, preset: Preset) -> str:
    """The preset's address with its variables read; without them it stays as it is written, which is a problem only to serve."""
    given = {}
    for variable in dict.fromkeys(environment.variables(preset.base_url)):
        value = case.environ.get(variable, "").rstrip("/")
        if value:
            given[variable] = value
        elif case.need_secrets:
            state = "empty" if variable in case.environ else "not set"
            reason = f"its address needs the environment variable {variable}, which is {state}"
            case.problems.error(("providers", name), reason, f"set {variable} before starting, or give base_url")
    return environment.filled(preset.base_url, given)


def _check_addresses(case: Case, name: str, provider: ProviderSpec, base_urls: Sequence[str]) -> None:
    place, preset = ("providers", name), preset_of(name, provider)
    if provider.preset and provider.preset not in presets():
        case.problems.unknown((*place, "preset"), "preset", provider.preset, presets())
    elif not base_urls[0] and not provider.base_urls:
        near = did_you_mean(name, presets())
        hint = f" ({near} is a preset)" if near.startswith("did you mean") else ""
        case.problems.error(place, "it has no base_url, and no preset bears its name", f"add base_url: https://…/v1{hint}")
    elif provider.base_urls:
        for index, base_url in enumerate(base_urls):
            _check_address(case, (*place, "base_urls", index), base_url)
    elif not provider.base_url and preset.base_url != base_urls[0]:
        _check_preset_address(case, name, preset, _is_address(base_urls[0]) and "@" not in base_urls[0])
    else:
        _check_address(case, (*place, "base_url"), base_urls[0])


def _check_address(case: Case, place: tuple[str | int, ...], base_url: str) -> None:
    if _is_address(base_url):
        if "@" in urlsplit(base_url).netloc:
            case.problems.error(place, "an address must not hold a user or a password", "use api_key: or headers:")
    elif not environment.has_placeholder(base_url):
        written = case.as_written(*place)
        case.problems.error(place, f"{written!r} is no http address", "write it in full, e.g. https://api.openai.com/v1")


def _is_address(base_url: str) -> bool:
    try:
        address = urlsplit(base_url)
        return address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        return False


def _check_preset_address(case: Case, name: str, preset: Preset, whole: bool) -> None:
    """Of an address with variables in it; their values are not shown, for somebody may have mixed one up with a secret."""
    if not whole:
        read = ", ".join(dict.fromkeys(environment.variables(preset.base_url)))
        case.problems.error(("providers", name), f"with {read} as it is set, {preset.base_url} is no http address", f"mend {read}")


def _check_sign_in(case: Case, name: str, auth: str, base_url: str) -> None:
    """Nothing that a cloud knows one by may go to an address that its preset was not made for, unless the spec says so."""
    provider = case.spec.providers[name]
    if auth in LIBRARIES and (provider.base_url or provider.base_urls) and not provider.auth:
        reason = f"the credentials of its preset ({LIBRARIES[auth].package}) are not sent to another address unasked"
        case.problems.error(("providers", name), reason, f"add auth: {auth} if this address is to have them, or give another auth")
    if provider.credentials and auth != "google":
        reason = "only auth: google reads a file of credentials"
        case.problems.error(("providers", name, "credentials"), reason, "remove it, or add auth: google")
    unread = environment.has_placeholder(base_url) or environment.has_placeholder(provider.region)
    if auth == "aws" and not unread and aws_scope(base_url, provider.region) is None:
        reason = "a signature is made for one region of Amazon's, and neither the address nor region: names one"
        case.problems.error(("providers", name), reason, "add region: us-east-1, or whichever it is")


def _check_dialect(case: Case, name: str, provider: ProviderSpec, dialect: str) -> None:
    known = registered("tierline.dialects")
    if dialect in known:
        return
    place = ("providers", name, "dialect") if provider.dialect else ("providers", name)
    case.problems.unknown(place, "dialect", dialect, known)


def _secrets(case: Case, name: str, provider: ProviderSpec, preset: Preset) -> list[str]:
    """The secrets given, else the one in the preset's own variable; never that one for another address than the preset's. At least one
    text, empty where there is no secret."""
    given = provider.api_keys or [provider.api_key]
    if given[0]:
        return [secret for secret in given if not environment.has_placeholder(secret)] or [""]
    if not preset.key or provider.base_url or provider.base_urls or provider.kind != "http":
        return [""]
    secret = case.environ.get(preset.key, "")
    if not secret and case.need_secrets:
        reason = f"the environment variable {preset.key} is not set"
        case.problems.error(("providers", name), reason, f"set {preset.key}, or give api_key")
    return [secret]


def models(case: Case, reached: Mapping[str, Endpoint], catalogue: Catalogue) -> dict[str, Model]:
    """Every model of the spec, priced and with its capabilities; what nobody knows is warned of."""
    return {name: _model(case, name, model, reached, catalogue) for name, model in case.spec.models.items()}


def _model(case: Case, name: str, given: ModelSpec, reached: Mapping[str, Endpoint], catalogue: Catalogue) -> Model:
    endpoint = reached.get(given.provider, Endpoint(given.provider))
    upstream = given.model or name
    facts = _facts(case, given, upstream, catalogue)
    price, source = _price(given, facts)
    capabilities = _capabilities(given, facts, endpoint)
    if endpoint.name in case.spec.providers:
        _warn_unknown(case, name, given, facts, endpoint, catalogue)
    return Model(
        name=name,
        tier=given.tier,
        provider=given.provider,
        upstream=upstream,
        price=price,
        context=given.context if given.context is not None else facts.context,
        max_output=given.max_output if given.max_output is not None else facts.max_output,
        capabilities=capabilities,
        residency=given.residency or endpoint.residency,
        region=given.region or endpoint.region,
        max_concurrency=given.max_concurrency,
        max_queue=given.max_queue,
        source=source,
    )


def catalogue_provider(case: Case, name: str) -> str:
    """Whose table of the catalogue holds the models of a provider; empty for a server of one's own."""
    provider = case.spec.providers.get(name)
    if provider is None:
        return ""
    preset = preset_of(name, provider)
    return preset.catalogue if preset.catalogue is not None else provider.preset or name


def _facts(case: Case, given: ModelSpec, upstream: str, catalogue: Catalogue) -> Facts:
    provider = catalogue_provider(case, given.provider)
    return (catalogue.find(provider, upstream) if provider else None) or Facts()


def _price(given: ModelSpec, facts: Facts) -> tuple[Price, str]:
    if given.price is not None:
        return Price(given.price.input, given.price.output, given.price.cache_read, given.price.cache_write), "spec"
    if facts.price is not None:
        return facts.price, "catalogue"
    return Price(known=False), "unknown"


def _capabilities(given: ModelSpec, facts: Facts, endpoint: Endpoint) -> tuple[str, ...]:
    if given.capabilities is not None:
        listed = set(given.capabilities)
        if "json_schema" in listed:
            listed.add("json_object")
        if listed != {"embeddings"}:
            listed.add("chat")
        return tuple(word for word in CAPABILITIES if word in listed)
    if endpoint.kind != "http":
        return CAPABILITIES
    return facts.capabilities if facts.capabilities is not None else ASSUMED


def _warn_unknown(case: Case, name: str, given: ModelSpec, facts: Facts, endpoint: Endpoint, catalogue: Catalogue) -> None:
    place, upstream = ("models", name), given.model or name
    assumed = endpoint.kind == "http" and given.capabilities is None and facts.capabilities is None
    guess = f"; it is taken to do {', '.join(ASSUMED)}" if assumed else ""
    give = " and capabilities: [...]" if assumed else ""
    if given.price is None and facts.price is None:
        near = catalogue.nearest(catalogue_provider(case, given.provider), upstream) if facts == Facts() else ""
        case.problems.warn(
            place,
            f"nobody knows what {upstream!r} of {given.provider} costs: it counts as the dearest model{guess}",
            f"give price: {{input: …, output: …}} in USD per million tokens{give}{'; ' + near if near else ''}",
        )
    elif assumed:
        case.problems.warn(
            place, f"the catalogue does not know what {upstream!r} of {given.provider} can do{guess}", "give capabilities: [...]"
        )
    if facts.retired and facts.retired <= catalogue.about.made:
        case.problems.warn(place, f"{given.provider} retired {upstream!r} on {facts.retired}", "move to a model that is still served")
    if given.capabilities is None and facts.bits is not None and not {"chat", "embeddings"} & set(facts.capabilities or ()):
        reason = f"the catalogue says that {upstream!r} is not served on the chat endpoint, so it will never be chosen"
        case.problems.warn(place, reason, "choose another model, or give capabilities: [...] if the catalogue is wrong")


def keys(case: Case) -> dict[bytes, Key]:
    """SHA-256 of each secret → its key. A key whose variable is not set is left out."""
    resolved = {}
    for name, key in case.spec.keys.items():
        if not environment.has_placeholder(key.secret):
            digest = hashlib.sha256(key.secret.encode()).digest()
            resolved[digest] = Key(
                name,
                frozenset(key.scopes),
                frozenset(key.routes),
                frozenset(key.models),
                key.team,
                key.task,
                owner=key.owner,
                rate=None if key.rate is None else rate(key.rate),
                max_concurrency=key.max_concurrency,
                expires=None if key.expires is None else _end_of(key.expires),
            )
    return resolved


def rate(spec: RateSpec) -> Rate:
    """A rate with its time in seconds."""
    return Rate(spec.requests, spec.tokens, PERIODS[spec.per])


def _end_of(day: datetime.date) -> float:
    """The Unix time at which a day in UTC is over."""
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp() + PERIODS["day"]


def sources(case: Case) -> dict[str, Source]:
    """Every source of the spec, its secrets read."""
    return {
        name: Source(name, source.url, source.query, source.method, tuple(source.headers.items()))
        for name, source in case.spec.sources.items()
    }


def files(case: Case) -> dict[str, str]:
    """The digest of every table that a tool looks up in, by its name in the spec."""
    named = {entry["lookup"] for route in case.spec.routes.values() for entry in route.tools_first if "lookup" in entry}
    return {name: answer_table.digest(Path(case.problems.file).parent / name) for name in sorted(named)}


def scorers(case: Case) -> dict[str, str]:
    """The digest of every trained scorer's file, by its name in the spec."""
    named = {route.scorer.artifact for route in case.spec.routes.values() if route.scorer.artifact}
    return {name: answer_table.digest(Path(case.problems.file).parent / name) for name in sorted(named)}
