"""A LiteLLM proxy's configuration as a spec. What has no counterpart is noted at the top of the result, never dropped silently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tierline.config import document
from tierline.config.catalogue import shipped
from tierline.config.catalogue_build import FLAGS, LISTED_AS
from tierline.config.plugin_names import registered
from tierline.config.presets import presets
from tierline.types.errors import TierlineError

_PREFIXES: Mapping[str, str] = {
    **{theirs: ours for ours, theirs in LISTED_AS.items()},
    "hosted_vllm": "vllm",
    "vllm": "vllm",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "lm_studio": "lmstudio",
    "huggingface": "huggingface",
    "llamafile": "llamacpp",
    "text-completion-openai": "openai",
}
_BARE = ((re.compile(r"^(gpt-|o\d|chatgpt-|text-embedding-)"), "openai"), (re.compile(r"^claude-"), "anthropic"))
_OTHER_API = frozenset({"azure", "bedrock", "github"})
"""Prefixes that are presets too, but which are reached there at another address, by other names of models."""
_TIERS = ("fast", "balanced", "best")
_READ_PARAMS = frozenset({"model", "api_base", "base_url", "api_key", "custom_llm_provider", "max_parallel_requests"})
_COSTS: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
}
_READ_INFO = frozenset({*_COSTS, *FLAGS, "max_input_tokens", "max_output_tokens", "mode"})


class Deployment(msgspec.Struct, frozen=True):
    """One entry of `model_list`, with the name it gets in the spec."""

    name: str
    group: str
    provider: str
    preset: str
    upstream: str
    params: Mapping[str, Any]
    info: Mapping[str, Any]


def convert(path: Path) -> str:
    """The spec, as YAML text with notes at its top. Raises TierlineError when the file is no such configuration."""
    source = document.read(path)
    if source.problems:
        raise TierlineError("\n".join(map(str, source.problems)))
    listed = source.data.get("model_list")
    if not isinstance(listed, list) or not listed:
        raise TierlineError(f"{path}: there is no model_list, so this is not a LiteLLM proxy's configuration")
    return _Import(source.data).text(listed)


class _Import:
    """Carries over one section after another, and notes what it leaves."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._notes: list[str] = []
        self._providers: dict[str, dict[str, Any]] = {}
        self._deployments: list[Deployment] = []

    def text(self, listed: Iterable[Any]) -> str:
        for index, entry in enumerate(listed):
            self._deployment(index, entry)
        if not self._deployments:
            raise TierlineError("none of the deployments can be carried over:\n" + "\n".join(self._notes))
        models = {deployment.name: self._model(deployment) for deployment in self._deployments}
        self._guess_tiers(models)
        spec: dict[str, Any] = {"version": 1, "providers": self._providers, "models": models}
        spec.update(self._tasks())
        keys = self._keys()
        if keys:
            spec["keys"] = keys
        self._leftovers()
        notes = "".join(f"# - {note}\n" for note in self._notes)
        head = f"# Imported from a LiteLLM configuration. What to look through:\n{notes}\n" if notes else ""
        return head + yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=120)

    def _note(self, text: str) -> None:
        line = re.sub(r"\s+", " ", text)
        if line not in self._notes:
            self._notes.append(line)

    def _deployment(self, index: int, entry: Any) -> None:
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        if not isinstance(params, dict) or not isinstance(params.get("model"), str) or not isinstance(entry.get("model_name"), str):
            self._note(f"model_list[{index}] has no model_name or no litellm_params.model: left out")
            return
        group, info = entry["model_name"], entry.get("model_info")
        preset, upstream = _upstream(params)
        if "*" in group or "*" in upstream:
            self._note(f"{group!r}: wildcards have no counterpart, name each model: left out")
            return
        if preset in _OTHER_API:
            self._note(f"{group!r}: the preset {preset} speaks another API than {params['model']!r}: left out, add it by hand")
            return
        if preset not in presets() and (preset or not _address(params)):
            self._note(f"{group!r}: nothing here reaches {params['model']!r} yet: left out")
            return
        dialect = presets()[preset].dialect if preset in presets() else "openai_chat"
        if dialect not in registered("tierline.dialects"):
            self._note(f"{group!r}: the dialect {dialect} of {params['model']!r} is not available yet: left out")
            return
        unread = sorted(params.keys() - _READ_PARAMS - _COSTS.keys())
        if unread:
            self._note(f"{group!r}: litellm_params {', '.join(unread)} have no counterpart yet: left out")
        provider = self._provider(group, preset, params)
        self._deployments.append(
            Deployment(self._name(group), group, provider, preset, upstream, params, info if isinstance(info, dict) else {})
        )

    def _name(self, group: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9._:@+/-]", "-", group).lstrip("._:@+/-") or "model"
        if plain == "auto" or plain.startswith(("auto/", "tier/")) or plain in _TIERS:
            plain = f"model-{plain.replace('/', '-')}"
        taken = {deployment.name for deployment in self._deployments}
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        if plain != group:
            self._note(f"{group!r} is called {name!r} here")
        return name

    def _provider(self, group: str, preset: str, params: Mapping[str, Any]) -> str:
        """The provider with this address and key, made if there is none yet."""
        base = preset if preset in presets() else "openai-compatible"
        settings: dict[str, Any] = {}
        address = _address(params)
        if address:
            settings["base_url"] = _variable(address)
        key = params.get("api_key")
        if isinstance(key, str) and key.startswith("os.environ/"):
            settings["api_key"] = _variable(key)
        elif isinstance(key, str) and key.lower() not in ("", "none", "empty", "dummy", "fake", "no-key"):
            variable = re.sub(r"\W", "_", base).upper() + "_API_KEY"
            settings["api_key"] = f"${{{variable}}}"
            self._note(f"{group!r}: its api_key stood in the file; put it into the environment variable {variable}")
        number = 1
        while True:
            name = base if number == 1 else f"{base}-{number}"
            wanted = settings if number == 1 or base not in presets() else {"preset": base, **settings}
            if name not in self._providers:
                self._providers[name] = wanted
                return name
            if self._providers[name] == wanted:
                return name
            number += 1

    def _model(self, deployment: Deployment) -> dict[str, Any]:
        model: dict[str, Any] = {"provider": deployment.provider, "model": deployment.upstream, "tier": ""}
        info = {**{key: value for key, value in deployment.params.items() if key in _COSTS}, **deployment.info}
        price = {ours: round(value * 1e6, 6) for theirs, ours in _COSTS.items() if isinstance(value := info.get(theirs), int | float)}
        if price:
            for missing in {"input", "output"} - price.keys():
                price[missing] = 0
                self._note(f"{deployment.name!r}: no {missing} price was given; 0 is assumed")
            model["price"] = {word: price[word] for word in ("input", "output", "cache_read", "cache_write") if word in price}
        for theirs, ours in (("max_input_tokens", "context"), ("max_output_tokens", "max_output")):
            if isinstance(info.get(theirs), int):
                model[ours] = info[theirs]
        can = sorted({word for flag, word in FLAGS.items() if info.get(flag) is True})
        if info.get("mode") == "embedding":
            model["capabilities"] = ["embeddings"]
        elif can:
            model["capabilities"] = can
        if isinstance(deployment.params.get("max_parallel_requests"), int):
            model["max_concurrency"] = deployment.params["max_parallel_requests"]
        unread = sorted(deployment.info.keys() - _READ_INFO)
        if unread:
            self._note(f"{deployment.name!r}: model_info {', '.join(unread)}: left out")
        return model

    def _guess_tiers(self, models: dict[str, dict[str, Any]]) -> None:
        """By thirds of price, the only ground there is."""
        prices = {}
        for deployment in self._deployments:
            price = models[deployment.name].get("price")
            facts = shipped().find(deployment.preset, deployment.upstream)
            if price is not None:
                prices[deployment.name] = price["input"] + price["output"]
            elif facts is not None and facts.price is not None:
                prices[deployment.name] = facts.price.input + facts.price.output
        ordered = sorted(set(prices.values()))
        for name, model in models.items():
            model["tier"] = _TIERS[3 * ordered.index(prices[name]) // len(ordered)] if name in prices else "balanced"
        self._note("tiers are guessed by thirds of price (balanced where nobody knows the price): put each model where its quality belongs")

    def _tasks(self) -> dict[str, Any]:
        """A group with stand-ins becomes a task, and a route of its own that clients address as auto/<group>."""
        stand_ins = self._stand_ins()
        tasks: dict[str, Any] = {}
        for group in dict.fromkeys(deployment.group for deployment in self._deployments):
            own = [deployment.name for deployment in self._deployments if deployment.group == group]
            further = [name for name in stand_ins.get(group, []) if name not in own]
            if own[1:] or further:
                name = re.sub(r"[^A-Za-z0-9._-]", "-", group).lstrip("._-") or "group"
                why = "Imported from a LiteLLM model group: its deployments and fallbacks stand in for each other."
                tasks[name] = {"why": why, "models": own[:1], "fallback": [*own[1:], *further]}
                self._note(f"clients of {group!r} ask for auto/{name} to keep its fallbacks; the plain name reaches {own[0]!r} alone")
        return {"tasks": tasks, "routes": {name: {"task": name} for name in tasks}} if tasks else {}

    def _stand_ins(self) -> dict[str, list[str]]:
        """Group → the models that its fallbacks name, in order."""
        found: dict[str, list[str]] = {}
        for kind, group, names in self._fallbacks():
            self._stand_in(found, group, names, kind)
            if kind == "context_window_fallbacks":
                self._note("context_window_fallbacks are plain fallbacks now: a model whose window is too small is not even asked")
        return found

    def _fallbacks(self) -> Iterator[tuple[str, str, Any]]:
        """Every fallback of every kind: kind, group, names."""
        for section in ("router_settings", "litellm_settings"):
            settings = self._section(section)
            for kind in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks"):
                for entry in settings.get(kind) or []:
                    for group, names in entry.items() if isinstance(entry, dict) else ():
                        yield kind, group, names
            for group in dict.fromkeys(deployment.group for deployment in self._deployments):
                if settings.get("default_fallbacks"):
                    yield "default_fallbacks", group, settings["default_fallbacks"]

    def _stand_in(self, found: dict[str, list[str]], group: str, names: Any, kind: str) -> None:
        for name in names if isinstance(names, list) else [names]:
            of = [deployment.name for deployment in self._deployments if deployment.group == name]
            if not of or group not in {deployment.group for deployment in self._deployments}:
                self._note(f"{kind}: {group!r} → {name!r} was left out, because one of them is not carried over")
            elif group != name:
                found.setdefault(group, [])
                found[group] += [model for model in of if model not in found[group]]

    def _keys(self) -> dict[str, Any]:
        master = self._section("general_settings").get("master_key")
        if not isinstance(master, str) or not master:
            return {}
        secret = _variable(master)
        if secret == master:
            secret = "${TIERLINE_ADMIN_KEY}"  # noqa: S105  # the name of a variable
            self._note("the master_key stood in the file; put it into the environment variable TIERLINE_ADMIN_KEY")
        return {"admin": {"secret": secret, "scopes": ["admin", "call", "read"]}}

    def _leftovers(self) -> None:
        carried = {
            "router_settings": {"fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks"},
            "litellm_settings": {"fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks"},
            "general_settings": {"master_key"},
        }
        for section in self._config:
            if section == "model_list":
                continue
            unread = sorted(self._section(section).keys() - carried.get(section, set()))
            if unread:
                self._note(f"{section}: no counterpart for {', '.join(unread)}: left out")
            elif section not in carried:
                self._note(f"{section}: no counterpart, left out")

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self._config.get(name)
        return section if isinstance(section, dict) else {}


def _upstream(params: Mapping[str, Any]) -> tuple[str, str]:
    """Preset and upstream name; the preset is empty for a server that only its address describes."""
    model = params["model"]
    prefix, _, rest = model.partition("/")
    given = params.get("custom_llm_provider")
    if isinstance(given, str):
        return _PREFIXES.get(given, given), model.removeprefix(f"{given}/")
    if rest and prefix in _PREFIXES:
        preset = _PREFIXES[prefix]
        return ("" if preset == "openai" and _address(params) else preset), rest
    bare = next((preset for pattern, preset in _BARE if pattern.match(model)), "")
    return (bare, model) if bare and not rest else (prefix if rest else "", rest or model)


def _address(params: Mapping[str, Any]) -> str:
    address = params.get("api_base") or params.get("base_url")
    return address if isinstance(address, str) else ""


def _variable(text: str) -> str:
    """`os.environ/NAME` → `${NAME}`."""
    return f"${{{text.removeprefix('os.environ/')}}}" if text.startswith("os.environ/") else text
