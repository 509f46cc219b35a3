"""Makes the catalogue's snapshot: prices from `genai-prices`, everything else from litellm's public model list (both MIT).

Where `genai-prices` does not know a price the list's own stands in, and the fact says so.
"""

from __future__ import annotations

import datetime
import gzip
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.catalogue import Facts, bits
from tierline.types.errors import TierlineError

LISTED_AS: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "groq": "groq",
    "together": "together_ai",
    "fireworks": "fireworks_ai",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "xai": "xai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "cerebras": "cerebras",
    "sambanova": "sambanova",
    "nvidia": "nvidia_nim",
    "deepinfra": "deepinfra",
    "moonshot": "moonshot",
}
"""Our provider → the word that litellm's list has for it."""

PRICED_AS: Mapping[str, str] = {"gemini": "google", "xai": "x-ai", "moonshot": "moonshotai"}
"""Our provider → the id that genai-prices has for it, where they differ."""

_LIST = "model_prices_and_context_window_backup.json"
FLAGS: Mapping[str, str] = {
    "supports_function_calling": "tools",
    "supports_vision": "vision",
    "supports_image_input": "vision",
    "supports_audio_input": "audio",
    "supports_pdf_input": "documents",
    "supports_response_schema": "json_schema",
    "supports_native_structured_output": "json_schema",
    "supports_reasoning": "reasoning",
}
"""A flag of the list → our word for the capability."""
_MODES: Mapping[str, frozenset[str]] = {
    "chat": frozenset({"chat"}),
    "embedding": frozenset({"embeddings"}),
    "responses": frozenset(),  # not served on the chat endpoint
}


def model_list(file: Path | None) -> tuple[dict[str, Any], str]:
    """The list of litellm and where it is from: a JSON file, a wheel that holds it, or the installed package.

    Raises TierlineError saying how to get it where there is none."""
    if file is None:
        return _installed_list()
    if not file.is_file():
        raise TierlineError(f"there is no file {file}")
    if file.suffix != ".whl":
        return _decoded(file.read_bytes(), file), f"{file.name} (MIT)"
    with zipfile.ZipFile(file) as wheel:
        try:
            content = wheel.read(f"litellm/{_LIST}")
        except KeyError:
            raise TierlineError(f"{file} holds no litellm/{_LIST}: is it a wheel of litellm?") from None
    return _decoded(content, file), f"litellm {file.name.split('-')[1]} (MIT)"


def _installed_list() -> tuple[dict[str, Any], str]:
    try:
        distribution = metadata.distribution("litellm")
    except metadata.PackageNotFoundError:
        raise TierlineError(
            "the capabilities come from litellm's model list, and litellm is not installed: "
            "run `pip download litellm --no-deps` and give the wheel with --litellm-json FILE"
        ) from None
    file = Path(str(distribution.locate_file(f"litellm/{_LIST}")))
    return _decoded(file.read_bytes(), file), f"litellm {distribution.version} (MIT)"


def _decoded(content: bytes, file: Path) -> dict[str, Any]:
    try:
        listed = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise TierlineError(f"{file} is not litellm's model list: {error}") from None
    listed.pop("sample_spec", None)
    return listed


def build(file: Path | None = None) -> bytes:
    """A fresh snapshot, packed; the same sources on the same day give the same bytes."""
    listed, origin = model_list(file)
    try:
        from genai_prices import data  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise TierlineError("the prices come from genai-prices: install tierline[catalogue]") from None
    now = datetime.datetime.now(datetime.UTC)
    priced = {provider.id: provider for provider in data.providers}
    tables = {}
    for provider, word in LISTED_AS.items():
        rows = dict(_rows_of(listed, word))
        tables[provider] = _table(rows, priced.get(PRICED_AS.get(provider, provider)), now)
    about = {
        "made": now.date().isoformat(),
        "sources": {"prices": f"genai-prices {metadata.version('genai-prices')} (MIT)", "capabilities": origin},
    }
    content = msgspec.json.encode({"about": about, "providers": tables}, order="sorted")
    return gzip.compress(content, 9, mtime=0)


def write(packed: bytes, out: Path | None = None) -> Path:
    """Puts a snapshot where `out` says, or in the package's own place; returns where it is."""
    path = out or Path(str(resources.files("tierline.config").joinpath("catalogue.json.gz")))
    path.write_bytes(packed)
    return path


def _rows_of(listed: Mapping[str, Any], word: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of one provider by the upstream's own name."""
    for name, row in listed.items():
        if row.get("litellm_provider") == word and row.get("mode") in _MODES and "/container" not in name:
            plain = name.removeprefix(f"{word}/")
            yield plain.removeprefix("accounts/fireworks/models/").lower(), row


def _table(rows: Mapping[str, Mapping[str, Any]], priced: Any, now: datetime.datetime) -> dict[str, Facts]:
    names = dict.fromkeys(rows)
    if priced is not None:
        names.update(dict.fromkeys(model.id.lower() for model in priced.models))
    table = {}
    for name in names:
        model = priced.find_model(name) if priced is not None else None
        facts = _facts(rows.get(name), model, now)
        if facts is not None:
            table[name] = facts
    return table


def _facts(row: Mapping[str, Any] | None, model: Any, now: datetime.datetime) -> Facts | None:
    prices = _prices(model, now)
    by = "genai-prices" if prices is not None else ""
    if prices is None and row is not None and row.get("input_cost_per_token") is not None:
        words = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost")
        prices = [None if row.get(word) is None else round(row[word] * 1e6, 6) for word in words]
        by = "litellm"
    if row is None and prices is None:
        return None
    row = row or {}
    context = row.get("max_input_tokens") or row.get("max_tokens") or (model.context_window if model is not None else 0) or 0
    return Facts(
        input=prices[0] if prices else None,
        output=prices[1] if prices else None,
        cache_read=prices[2] if prices else None,
        cache_write=prices[3] if prices else None,
        context=int(context),
        max_output=int(row.get("max_output_tokens") or 0),
        bits=bits(_capabilities(row)) if row else None,
        retired=row.get("deprecation_date") or "",
        priced_by=by,
    )


def _prices(model: Any, now: datetime.datetime) -> list[float | None] | None:
    """List prices at the lowest volume, in USD per million tokens; None for a model without a price for each token."""
    if model is None:
        return None
    prices = model.get_prices(now)
    values = [
        getattr(value, "base", value) for value in (prices.input_mtok, prices.output_mtok, prices.cache_read_mtok, prices.cache_write_mtok)
    ]
    return None if values[0] is None else [None if value is None else float(value) for value in values]


def _capabilities(row: Mapping[str, Any]) -> set[str]:
    found = {word for flag, word in FLAGS.items() if row.get(flag)}
    found |= _MODES[row["mode"]]
    if {"tools", "json_schema"} & found:  # the list has no flag for it; every such model takes plain JSON mode
        found.add("json_object")
    if row["litellm_provider"] == "openai" and "reasoning" not in found and row["mode"] == "chat":
        found.add("logprobs")  # the list has no flag for it either; OpenAI documents it for these
    return found
