"""A parser for each language of code: it says where the text cannot be read, and runs nothing."""

from __future__ import annotations

import ast
import itertools
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

import msgspec
import yaml

from tierline.types.errors import TierlineError

Parser = Callable[[str], int | None]
"""A text → the line (from 1; 0: unknown) at which it cannot be read, None where it can."""

_DEEPEST = 100
_JAVASCRIPT = ("javascript", "typescript", "tsx")


class ParserMissing(TierlineError):
    """A language whose parser is not installed."""


def parsers(languages: Sequence[str] | None) -> Mapping[str, Parser]:
    """Language → parser for the named ones, or for all that are installed; raises ParserMissing for a named one that is not."""
    found: dict[str, Parser] = {"python": python, "json": json, "yaml": yaml_events}
    if find_spec("sqlglot") is not None:
        found["sql"] = _sql()
    if find_spec("tree_sitter") is not None:
        found |= {language: _tree_sitter(language) for language in _JAVASCRIPT}
    if languages is None:
        return found
    for language in languages:
        if language not in found:
            raise ParserMissing(f"code in {language} cannot be parsed here: install tierline[code]")
    wanted = {*languages, *(["tsx"] if "typescript" in languages else [])}
    return {language: parser for language, parser in found.items() if language in wanted}


def python(text: str) -> int | None:
    """By Python's own parser."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<answer>", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return max(error.lineno or 0, 0)
    except (ValueError, MemoryError, RecursionError, OverflowError):
        return 0
    return None


def json(text: str) -> int | None:
    """Strict JSON; a block may be empty."""
    try:
        if text.strip():
            msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return 0
    return None


def yaml_events(text: str) -> int | None:
    """YAML by its events: no object is made of it."""
    if _depth(text) > _DEEPEST:
        return 0
    try:
        for _ in yaml.parse(text, Loader=yaml.CSafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        return error.problem_mark.line + 1 if error.problem_mark is not None else 0
    except (yaml.YAMLError, RecursionError, ValueError):
        return 0
    return None


def _depth(text: str) -> int:
    """How deep brackets nest; libyaml's time grows with the square of it."""
    signs = (1 if char in "[{" else -1 for char in text if char in "[]{}")
    return max(itertools.accumulate(signs), default=0)


def _sql() -> Parser:
    """SQL of any dialect that sqlglot reads."""
    import sqlglot  # noqa: PLC0415  # an extra
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would log the statements that it does not know

    def parse(text: str) -> int | None:
        try:
            sqlglot.parse(text)
        except SqlglotError as error:
            places = getattr(error, "errors", None) or [{}]
            return int(places[0].get("line") or 0)
        except (RecursionError, ValueError, AttributeError, IndexError, KeyError, TypeError):
            return 0
        return None

    return parse


def _tree_sitter(language: str) -> Parser:
    """JavaScript (JSX included), TypeScript or TSX."""
    import tree_sitter  # noqa: PLC0415  # an extra
    import tree_sitter_javascript  # noqa: PLC0415
    import tree_sitter_typescript  # noqa: PLC0415

    grammars = {
        "javascript": tree_sitter_javascript.language,
        "typescript": tree_sitter_typescript.language_typescript,
        "tsx": tree_sitter_typescript.language_tsx,
    }
    parser = tree_sitter.Parser(tree_sitter.Language(grammars[language]()))

    def parse(text: str) -> int | None:
        root = parser.parse(text.encode("utf-8", "replace")).root_node
        return _first_error(root) if root.has_error else None

    return parse


def _first_error(node: object) -> int:
    """The line of the first thing in a tree that could not be read."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if getattr(at, "is_error", False) or getattr(at, "is_missing", False):
            return int(at.start_point[0]) + 1  # type: ignore[attr-defined]
        waiting += [child for child in reversed(at.children) if child.has_error or child.is_missing]  # type: ignore[attr-defined]
    return 0
