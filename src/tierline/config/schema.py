"""The spec described for editors (JSON Schema) and for people (the reference), both from its structs."""

from __future__ import annotations

import inspect as python_inspect
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

from tierline.config import unavailable
from tierline.config.answer_checks import KINDS
from tierline.config.cel_syntax import MACROS
from tierline.config.conditions import FUNCTIONS
from tierline.config.expressions import NAMES
from tierline.config.spec import Section, Spec
from tierline.config.structure import meaning, shape
from tierline.config.tools_first import BUILT_IN
from tierline.config.units import Duration, Size

_NUMBER = r"^\s*\d+(\.\d+)?\s*"
_UNITS: dict[type, dict[str, Any]] = {
    Duration: {
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _NUMBER + r"(ms|s|m|h|d)?\s*$|\$\{"}],
        "examples": ["1500ms", "2s", "10m", "1h", "30d"],
    },
    Size: {
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _NUMBER + r"([kKmMgG]?[bB])?\s*$|\$\{"}],
        "examples": ["512KB", "10MB"],
    },
}


_FOREIGN_CHECK = {"type": "object", "not": {"anyOf": [{"required": [kind]} for kind in KINDS]}, "minProperties": 1}
"""A check of another package: nothing is known of its keys."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `tierline.yaml`; keys that are not available yet are refused, and say so."""
    schema = msgspec.json.schema(Spec, schema_hook=lambda kind: dict(_UNITS[kind]))
    definitions = schema["$defs"]
    for path, struct in sections():
        properties = definitions[struct.cls.__name__]["properties"]
        for field in struct.fields:
            described = properties[field.encode_name]
            default = _default(field)
            if isinstance(default, Duration | Size):
                described["default"] = default.written()
            what = unavailable.KEYS.get((*path, field.encode_name))
            if what is not None:
                properties[field.encode_name] = {"description": unavailable.sentence(what), "not": {}}
            elif field.encode_name == "validate":
                described["items"] = {"anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in KINDS.values()] + [_FOREIGN_CHECK]}
    definitions |= msgspec.json.schema_components(KINDS.values(), ref_template="#/$defs/{name}")[1]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "tierline.yaml", **schema}


def sections() -> Iterator[tuple[tuple[str, ...], inspect.StructType]]:
    """Every section with its path (`*` for any name), in the order of the file; what is not available yet is not entered."""
    yield from _sections((), shape())


def _sections(path: tuple[str, ...], struct: inspect.StructType) -> Iterator[tuple[tuple[str, ...], inspect.StructType]]:
    yield path, struct
    for field in struct.fields:
        inner = (*path, field.encode_name)
        below = _struct_in(field.type)
        if below is not None and not unavailable.covers(inner):
            yield from _sections((*inner, "*") if _is_named(field.type) else inner, below)


def _struct_in(kind: inspect.Type) -> inspect.StructType | None:
    if isinstance(kind, inspect.Metadata):
        return _struct_in(kind.type)
    if isinstance(kind, inspect.StructType):
        return kind
    if isinstance(kind, inspect.DictType):
        return _struct_in(kind.value_type)
    if isinstance(kind, inspect.ListType):
        return _struct_in(kind.item_type)
    if isinstance(kind, inspect.UnionType):
        return next((found for member in kind.types if (found := _struct_in(member)) is not None), None)
    return None


def _is_named(kind: inspect.Type) -> bool:
    return isinstance(kind.type if isinstance(kind, inspect.Metadata) else kind, inspect.DictType)


def reference() -> str:
    """The reference page in Markdown: a heading a section, a table of its keys, and the names of expressions."""
    lines = [
        "# The spec: `tierline.yaml`",
        "",
        "Generated from the spec's structs by `tierline schema --reference docs/reference`; do not edit.",
        "",
        "Durations are written `1500ms`, `2s`, `10m`, `1h`, `30d` or as a number of seconds;",
        "sizes `512KB`, `10MB` or as a number of bytes.",
        "In any text, `${NAME}` reads an environment variable, `${NAME:-default}` does so where it may be missing,",
        "and `$${` is a plain `${`.",
        "`tierline check` reports every problem of a file at once and needs no secrets.",
        "",
    ]
    for path, struct in sections():
        lines += _section(path, struct)
    lines += _tools()
    lines += _checks()
    lines += ["## Expressions", "", "`when` holds a condition in CEL. It may use these names:", "", "| name | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(text)} |" for name, text in NAMES.items()]
    lines += ["", f"It may call {_listed(FUNCTIONS)}, and the macros {_listed(MACROS)}."]
    return "\n".join([*lines, ""])


def _tools() -> Iterator[str]:
    """The kinds of `tools_first`, each with its keys."""
    yield from ["## The tools of `tools_first`", "", "An entry is of the kind whose key it has. Plug-ins bring further kinds.", ""]
    for kind, tool in BUILT_IN.items():
        settings = inspect.type_info(tool)
        assert isinstance(settings, inspect.StructType)
        yield from _section(("tools_first", kind), settings)


def _checks() -> Iterator[str]:
    """A heading for each kind of check, as for a section."""
    yield "## Checks of an answer: `validate`"
    yield ""
    yield "Each entry of `tasks.<name>.validate` and `routes.<name>.validate` is one check: its kind, the kind's settings, and `retry`."
    yield "They run in the order they stand in, those that ask a model after all others. Packages add kinds by the entry-point group"
    yield "`tierline.validators`. [Check answers](../how-to/check-answers.md) shows each kind at work."
    yield ""
    for name, kind in KINDS.items():
        struct = inspect.type_info(kind)
        assert isinstance(struct, inspect.StructType)
        own = [field for field in struct.fields if field.encode_name != "retry"]
        yield f"### `{name}`"
        yield ""
        yield python_inspect.cleandoc(kind.__doc__ or "")
        yield ""
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        for field in sorted(own, key=lambda field: not field.required):
            yield f"| `{field.encode_name}` | {_cell(meaning(field.type))} | {_shown(field)} | {_cell(_description(field.type))} |"
        yield ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _section(path: tuple[str, ...], struct: inspect.StructType) -> Iterator[str]:
    if path:
        yield f"{'##' if len([part for part in path if part != '*']) == 1 else '###'} `{'.'.join(path).replace('*', '<name>')}`"
    else:
        yield "## The whole file"
    yield ""
    if path:
        yield python_inspect.cleandoc(struct.cls.__doc__ or "")
        yield ""
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for field in struct.fields:
        what = unavailable.KEYS.get((*path, field.encode_name))
        said = _description(field.type) if what is None else f"**{unavailable.sentence(what)}**"
        yield f"| `{field.encode_name}` | {_cell(meaning(field.type))} | {_shown(field)} | {_cell(said)} |"
    yield ""


def _description(kind: inspect.Type) -> str:
    """The innermost words win over those of an outer wrapping, which has none."""
    if not isinstance(kind, inspect.Metadata):
        return ""
    return str((kind.extra_json_schema or {}).get("description", "")) or _description(kind.type)


def _default(field: inspect.Field) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _shown(field: inspect.Field) -> str:
    default = _default(field)
    if field.required:
        return "required"
    if isinstance(default, Duration | Size):
        return f"`{default.written()}`"
    if default is None or default in ("", [], {}) or isinstance(default, Section):
        return ""
    return (
        f"`{', '.join(default)}`" if isinstance(default, tuple) else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
