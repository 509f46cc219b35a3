"""A YAML file as plain data that remembers its lines.

Reading is strict where YAML is lax: a key stands once, every key is text, aliases cannot blow up, only the plain tags exist.
Each problem is reported with its line; reading goes on where it can.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tierline.types.errors import Problem

Place = tuple[str | int, ...]
"""Where something stands in the data: keys and list indexes from the root."""

MAX_BYTES = 4 * 1024**2
MAX_NODES = 200_000
MAX_DEPTH = 64
_HARMLESS_OPENERS = 3000

_MERGE = "tag:yaml.org,2002:merge"
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "timestamp", "str")}


class Document:
    """What a file says (`data`), where it says so (`line`), and what could not be read (`problems`)."""

    def __init__(self, file: str, data: dict[str, Any], root: yaml.Node | None, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.data = data
        self.problems = problems
        self._root = root

    def line(self, place: Place) -> int:
        """The line, from 1, of the key or item at `place`, or of the nearest thing around it; 0 when the file has no content."""
        node, line = self._root, 0 if self._root is None else self._root.start_mark.line + 1
        for part in place:
            found = _child(node, part)
            if found is None:
                return line
            mark, node = found
            line = mark.line + 1
        return line


def read(path: Path, written: bytes | None = None) -> Document:
    """The file at `path`, or `written` in its stead; what is wrong with it stands in `problems`, and its data is then as much as could be
    read."""
    file = str(path)
    try:
        if (path.stat().st_size if written is None else len(written)) > MAX_BYTES:
            return _broken(
                file, 0, f"the file is larger than {MAX_BYTES // 1024**2} MB", "a spec holds no data: move it to files of its own"
            )
        raw = path.read_bytes() if written is None else written
    except OSError as error:
        return _broken(file, 0, f"the file cannot be read: {error.strerror or error}", "check its name and its permissions")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _broken(file, raw.count(b"\n", 0, error.start) + 1, "the file is not UTF-8 text", "save it with the encoding UTF-8")
    return parse(text, file)


def parse(text: str, file: str = "tierline.yaml") -> Document:
    """The same for text; `file` is the name that problems show."""
    loader = None
    try:
        if _too_deep(text):
            return _broken(file, 0, f"the file nests deeper than {MAX_DEPTH} levels", "write it in fewer levels")
        loader = yaml.CSafeLoader(text)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        return _unparsable(file, error)
    except UnicodeError:
        return _broken(file, 0, "the file holds characters that are no text (lone surrogates)", "remove them")
    finally:
        if loader is not None:
            loader.dispose()
    if root is None:
        return _broken(file, 0, "the file is empty", "start with `version: 1`; `tierline schema --reference` lists every key")
    if not isinstance(root, yaml.MappingNode):
        return _broken(file, root.start_mark.line + 1, "the file is not a mapping of keys to values", "start with `version: 1`")
    reader = _Reader(file)
    data = reader.value(root, ())
    return Document(file, data, root, tuple(reader.problems))


def _too_deep(text: str) -> bool:
    """Whether it nests so deeply that composing it, which recurses in C, could break the stack. Few openers cannot."""
    if sum(map(text.count, "[{-?")) < _HARMLESS_OPENERS:
        return False
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return True
    return False


class _TooMuch(Exception):
    """Stops the reading of a file that unfolds to more than a spec can hold."""


class _Reader:
    """Turns nodes into plain data, one problem at a time."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._scalars = yaml.constructor.SafeConstructor()
        self._nodes = 0
        self._open: set[int] = set()

    def value(self, root: yaml.MappingNode, place: Place) -> dict[str, Any]:
        try:
            return self._mapping(root, place)
        except _TooMuch as error:
            self._report(root, (), str(error), "write it without aliases, or in fewer levels")
            return {}

    def _any(self, node: yaml.Node, place: Place) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _TooMuch(f"the file unfolds to more than {MAX_NODES} values")
        if len(place) > MAX_DEPTH:
            raise _TooMuch(f"the file nests deeper than {MAX_DEPTH} levels")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        if id(node) in self._open:
            self._report(node, place, "an alias that contains itself", "write the value out")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            return [self._any(item, (*place, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        if node.tag not in _PLAIN:
            self._report(node, place, f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} means nothing here", "remove it")
            return node.value
        try:
            value = self._scalars.construct_object(node)
            if isinstance(value, float) and not math.isfinite(value):
                self._report(node, place, f"{node.value} is not a finite number", "write a plain number")
            return value
        except (ValueError, OverflowError, yaml.YAMLError):
            self._report(node, place, f"{node.value!r} looks like a date or number but is none", "write it in quotes if it is text")
            return node.value

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for merged in self._merged(value_node, place):
                    data = {**merged, **data}
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, place, "a key must be text", "write a plain word before the colon")
                continue
            key = key_node.value
            if key in first:
                self._report(key_node, (*place, key), f"the key stands twice; the first is on line {first[key]}", "keep one of them")
                continue
            first[key] = key_node.start_mark.line + 1
            data[key] = self._any(value_node, (*place, key))
        return data

    def _merged(self, node: yaml.Node, place: Place) -> Iterator[dict[str, Any]]:
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            value = self._any(part, (*place, "<<"))
            if isinstance(value, dict):
                yield value
            else:
                self._report(part, (*place, "<<"), "only a mapping can be merged with `<<`", "point the alias at a mapping")

    def _report(self, node: yaml.Node, place: Place, reason: str, suggestion: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, dotted(place), reason, suggestion))


def dotted(place: Place) -> str:
    """A place as people write it: `routes.auto.rules[0].when`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(part, int):
        if isinstance(node, yaml.SequenceNode) and part < len(node.value):
            item = node.value[part]
            return item.start_mark, item
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == part and key.tag != _MERGE:
            return key.start_mark, value
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _child(source, part)
                if found is not None:
                    return found
    return None


def _unparsable(file: str, error: yaml.YAMLError) -> Document:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
    line = mark.line + 1 if mark is not None else 0
    suggestion = "check indentation, quotes and colons on this line and the one above"
    if "cannot start any token" in reason:
        suggestion = "YAML indents with spaces, never with tabs; text that starts with @, `, % or a tab needs quotes"
    elif "but found another document" in reason or "another document" in str(error):
        reason, suggestion = "the file holds more than one YAML document", "keep what stands before the second `---`"
    elif "undefined alias" in reason:
        suggestion = "define it above with &name; text that starts with * needs quotes"
    elif "mapping values are not allowed" in reason:
        suggestion = "text that holds a colon and a space needs quotes"
    return _broken(file, line, f"this is not YAML: {reason}", suggestion)


def _broken(file: str, line: int, reason: str, suggestion: str) -> Document:
    return Document(file, {}, None, (Problem(file, line, "", reason, suggestion),))
