"""The OpenAPI 3.1 document of every endpoint, made from the table of routes: a route that nobody described is in it all the same.

It is served at `GET /openapi.json`, and holds nothing of the spec: no model, no route, no key.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from tierline import __version__
from tierline.server.hints import PREFIX
from tierline.server.openapi_shapes import ERRORS, HINTS, WIRE, Schema, own, ref


class Routed(Protocol):
    """What the document needs to know of a route."""

    @property
    def handler(self) -> Any:
        """The method that answers; its docstring is the description."""

    @property
    def scope(self) -> str:
        """What a key needs; empty: nothing."""

    @property
    def dialect(self) -> str:
        """The wire format, empty where headers tell."""


Table = Sequence[tuple[str, str, Routed]]
"""Method, path as the table of routes has it, and the route."""


class Told(msgspec.Struct, frozen=True):
    """What the table of routes cannot tell. `at`: what follows a path that goes on, one operation for each. `body` names a shape, and
    `needed` says whether a request must have one. `query` is what the handler reads of the query. `hints`: the handler reads the
    `x-tierline-*` headers. `status` is that of success, `media` what it sends then."""

    at: tuple[str, ...] = ("",)
    body: str = ""
    query: Mapping[str, Schema] = {}
    hints: bool = False
    status: int = 200
    media: tuple[str, ...] = ("application/json",)


_SHAPE_OF: Mapping[str, Schema] = {
    "application/json": {"type": ["object", "array"]},
    "text/event-stream": {},
    "text/plain": {"type": "string"},
    "text/html": {"type": "string"},
    "text/javascript": {"type": "string"},
    "text/css": {"type": "string"},
    "image/svg+xml": {"type": "string"},
}
_STREAMS = ("application/json", "text/event-stream")
_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
_STATES: Schema = {"type": "string", "enum": ["open", "accepted", "corrected", "dismissed", "all"], "default": "open"}
_ALERT_STATES: Schema = {"type": "string", "enum": ["open", "recovered", "all"], "default": "open"}
_ID = ("{id}",)
_TEXT: Schema = {"type": "string", "maxLength": 200}
_POSITIVE: Schema = {"type": "number", "minimum": 0, "maximum": 1000000000}
_MOMENTS: Mapping[str, Schema] = {
    "since": {"type": "number", "minimum": 0, "description": "Unix seconds"},
    "until": {"type": "number", "minimum": 0, "description": "Unix seconds"},
}
_NARROWED: Mapping[str, Schema] = dict.fromkeys(("route", "task", "tier", "model"), _TEXT)
_NAMED = ("{name}",)
_GEMINI = Told(
    ("{model}:generateContent", "{model}:streamGenerateContent", "{model}:countTokens"),
    "GenerateContent",
    {"alt": {"type": "string", "enum": ["sse", "json"]}},
    hints=True,
    media=_STREAMS,
)

TOLD: Mapping[tuple[str, str], Told] = {
    ("POST", "/v1/chat/completions"): Told(body="ChatCompletion", hints=True, media=_STREAMS),
    ("POST", "/v1/embeddings"): Told(body="Embeddings", hints=True),
    ("POST", "/v1/responses"): Told(body="Response", hints=True, media=_STREAMS),
    ("POST", "/v1/messages"): Told(body="Message", hints=True, media=_STREAMS),
    ("POST", "/v1/messages/count_tokens"): Told(body="CountTokens", hints=True),
    ("POST", "/v1/route"): Told(body="ChatCompletion", hints=True),
    ("POST", "/v1/feedback"): Told(body="Said"),
    ("GET", "/v1/models/"): Told(("{model}",)),
    ("GET", "/v1beta/models/"): Told(("{model}",)),
    ("POST", "/v1beta/models/"): _GEMINI,
    ("POST", "/v1/models/"): _GEMINI,
    ("GET", "/metrics"): Told(media=("text/plain",)),
    ("GET", "/dashboard"): Told(media=("text/html",)),
    ("GET", "/dashboard/"): Told(("{digest}/{path}",), media=("text/javascript", "text/css", "image/svg+xml", "text/plain")),
    ("POST", "/admin/pins"): Told(body="Pinned", status=201),
    ("DELETE", "/admin/pins/"): Told(("{route}",)),
    ("GET", "/admin/decisions/"): Told(_ID),
    ("GET", "/admin/overview"): Told(query={**_MOMENTS, **_NARROWED}),
    ("GET", "/admin/decisions"): Told(
        query={
            **_MOMENTS,
            **_NARROWED,
            "key": _TEXT,
            "status": {"type": "string", "pattern": "^([1-5]xx|[1-9][0-9]{2})$"},
            "error": _TEXT,
            "flagged": {"type": "string", "enum": ["0", "1"]},
            "changed": {"type": "string", "enum": ["0", "1"]},
            "min_cost": _POSITIVE,
            "id": _TEXT,
            "before": {"type": "string", "description": "the `next` of the page before"},
            "after": {"type": "integer", "minimum": 0, "description": "the `newest` of an answer"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
        }
    ),
    ("GET", "/admin/explanations/"): Told(_ID),
    ("GET", "/admin/models"): Told(query=_MOMENTS),
    ("GET", "/admin/models/"): Told(_NAMED, query=_MOMENTS),
    ("GET", "/admin/history/"): Told(("{policy}",), query={"against": _TEXT}),
    ("POST", "/admin/replays/"): Told(_ID, "Under"),
    ("GET", "/admin/worksheet"): Told(
        query={"volume": {**_TEXT, "description": "1M/month, 50k/day; as the log counts, where it is left out"}}
    ),
    ("GET", "/admin/alerts"): Told(query={"state": _ALERT_STATES, "limit": _LIMIT}),
    ("GET", "/admin/budgets/"): Told(_NAMED),
    ("GET", "/admin/audit/verified"): Told(query={"head": {"type": "string", "pattern": "^([0-9]{1,18}:[0-9a-f]{64})?$"}}),
    ("POST", "/admin/experiments/"): Told(_NAMED, "Turned"),
    ("GET", "/admin/reviews"): Told(query={"state": _STATES, "limit": _LIMIT}),
    ("GET", "/admin/reviews/"): Told(_ID),
    ("POST", "/admin/reviews/"): Told(_ID, "Judged"),
    ("GET", "/admin/keys"): Told(query={"all": {"type": "string", "description": "1: with those that have ended"}}),
    ("POST", "/admin/keys"): Told(body="Wanted", status=201),
    ("GET", "/admin/keys/"): Told(_NAMED),
    ("POST", "/admin/keys/"): Told(("{name}/rotate",), "Rotated"),
    ("DELETE", "/admin/keys/"): Told(_NAMED),
    ("GET", "/admin/audit"): Told(query={"limit": _LIMIT}),
}
"""Routes with more to tell than their table does. A path that ends in `/` and is not here goes on with `{rest}`."""

_EMBED = Told(("{model}:embedContent", "{model}:batchEmbedContents"), "EmbedContent", hints=True)
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "x-goog-api-key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
}
_MEANT = {
    400: "The request cannot be read, or asks for what cannot be done.",
    401: "No key, or one that does not open.",
    403: "The key may not do this.",
    404: "There is no such thing, or the key may not know of it.",
    408: "The body did not come in time.",
    413: "The body is over the limit.",
    429: "The key or the model has had what it may have for now.",
    503: "The gateway cannot take the request now; `retry-after` says when to come back.",
}
_SAID = ("decision", "route", "task", "tier", "model", "why", "attempts", "cost", "overhead-ms", "policy")


def document(table: Table) -> bytes:
    """The document as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path, route in table:
        for told in _all_told(method, path):
            for rest in told.at:
                paths.setdefault(path + rest, {})[method.lower()] = _operation(method, path + rest, route, told)
    headers = {f"{PREFIX}{name}": {"schema": {"type": "string"}} for name in _SAID}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Tierline",
                "version": __version__,
                "description": "A multi-model routing layer. A gateway without a single key lets everybody on its machine in.",
            },
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": {**WIRE, **own()}, "securitySchemes": _SECURITY, "headers": headers},
        }
    )


def _all_told(method: str, path: str) -> tuple[Told, ...]:
    told = TOLD.get((method, path), Told(("{rest}",) if path.endswith("/") and path != "/" else ("",)))
    return (told, _EMBED) if told is _GEMINI else (told,)


def _operation(method: str, path: str, route: Routed, told: Told) -> dict[str, Any]:
    described = " ".join((inspect.getdoc(route.handler) or "").split())
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}{path}".replace("/", "_").translate(str.maketrans("", "", "{}")),
        "description": described,
        "tags": [path.split("/")[1] or "root"],
        "parameters": _parameters(path, told),
        "responses": _responses(method, route, told),
        "security": [{name: [route.scope]} for name in _SECURITY] if route.scope else [],
    }
    if told.body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(told.body)}}}
    return operation


def _parameters(path: str, told: Told) -> list[dict[str, Any]]:
    named = [part.partition("}")[0] for part in path.split("{")[1:]]
    word = {"type": "string", "minLength": 1}
    inside = [{"name": name, "in": "path", "required": True, "schema": word} for name in named]
    asked = [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in told.query.items()]
    hints = [{"name": f"{PREFIX}{name}", "in": "header", "required": False, "schema": schema} for name, schema in HINTS.items()]
    return [*inside, *asked, *(hints if told.hints else [])]


def _responses(method: str, route: Routed, told: Told) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "What was asked for."}
    if method != "HEAD":
        good["content"] = {media: {"schema": _SHAPE_OF[media]} for media in told.media}
    if told.hints:
        good["headers"] = {f"{PREFIX}{name}": {"$ref": f"#/components/headers/{PREFIX}{name}"} for name in _SAID}
    shapes = [ref(name) for name in ERRORS[route.dialect]]
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    bad = {"content": {"application/json": {"schema": schema}}} if method != "HEAD" else {}
    meant = {status: words for status, words in _MEANT.items() if route.scope or status not in (401, 403)}
    return {
        str(told.status): good,
        **{str(status): {"description": words, **bad} for status, words in meant.items()},
        "default": {"description": "Another error, in the same envelope.", **bad},
    }
