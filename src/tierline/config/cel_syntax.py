"""A reader for CEL expressions, so that the check can reason about them. It never evaluates anything.

It reads what conditions are made of: literals, names, members, indexes, calls, lists, maps, operators and `? :`. For the rest of the
language (byte strings, triple quotes, messages) it gives up, and the check then says nothing more than the compiler does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec


class Node(msgspec.Struct, frozen=True):
    """One expression. `text` is its normal form: the same for expressions that differ only in spaces, quotes and brackets."""

    text: str


class Literal(Node, frozen=True):
    """A number, text, true, false or null."""

    value: Any


class Name(Node, frozen=True):
    """A bare name."""

    name: str


class Member(Node, frozen=True):
    """`of.key`, or `of['key']`, which means the same."""

    of: Node
    key: str


class Call(Node, frozen=True):
    """`function(args)`, or `args[0].function(args[1:])` where `method` is true; operators are calls too: `&&`, `!`, `==`, `[]`, `?:`."""

    function: str
    args: tuple[Node, ...]
    method: bool = False


class ListOf(Node, frozen=True):
    """`[a, b]`."""

    items: tuple[Node, ...]


MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
"""Methods whose first argument names a variable of their own."""


class _Unreadable(Exception):
    """What this reader does not know."""


def read(source: str) -> Node | None:
    """The expression, or None where it is outside what this reader knows."""
    try:
        parser = _Parser(source)
        node = parser.ternary()
        return node if parser.at_end() else None
    except (_Unreadable, RecursionError):
        return None


def walk(node: Node) -> Iterator[Node]:
    """The expression and everything inside it."""
    yield node
    children: tuple[Node, ...] = ()
    if isinstance(node, Member):
        children = (node.of,)
    elif isinstance(node, Call):
        children = node.args
    elif isinstance(node, ListOf):
        children = node.items
    for child in children:
        yield from walk(child)


def bound(node: Node) -> frozenset[str]:
    """The variables that macros such as `tags.exists(t, t == 'x')` bring along."""
    return frozenset(
        part.args[1].name
        for part in walk(node)
        if isinstance(part, Call) and part.method and part.function in MACROS and len(part.args) > 1 and isinstance(part.args[1], Name)
    )


def negated(node: Node) -> Node:
    """Not that."""
    return Call(f"!({node.text})", "!", (node,))


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>0x[0-9a-fA-F]+u? | \d+\.\d*(?:[eE][+-]?\d+)? | \d+(?:[eE][+-]?\d+)?u? | \.\d+)
    | (?P<string>[rR]?(?:"(?!"")(?:[^"\\\n]|\\.)*" | '(?!'')(?:[^'\\\n]|\\.)*'))
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    | (?P<end>$)
    )""",
    re.VERBOSE,
)
_LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class _Parser:
    """Recursive descent, one method a level of the grammar."""

    def __init__(self, source: str) -> None:
        self._tokens = list(_tokens(source))
        self._at = 0

    def at_end(self) -> bool:
        return self._tokens[self._at][0] == "end"

    def ternary(self) -> Node:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        then = self._binary(0)
        self._expect(":")
        other = self.ternary()
        return Call(f"({condition.text} ? {then.text} : {other.text})", "?:", (condition, then, other))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while sign := self._take(*_LEVELS[level]):
            right = self._binary(level + 1)
            left = Call(f"({left.text} {sign} {right.text})", sign, (left, right))
        return left

    def _unary(self) -> Node:
        if self._take("!"):
            return negated(self._unary())
        if self._take("-"):
            inner = self._unary()
            if isinstance(inner, Literal) and isinstance(inner.value, int | float):
                return Literal(repr(-inner.value), -inner.value)
            return Call(f"-({inner.text})", "neg", (inner,))
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._take("."):
                name = self._name()
                if self._take("("):
                    args = (node, *self._until(")"))
                    node = Call(f"{node.text}.{name}({', '.join(a.text for a in args[1:])})", name, args, method=True)
                else:
                    node = _member(node, name)
            elif self._take("["):
                index = self.ternary()
                self._expect("]")
                if isinstance(index, Literal) and isinstance(index.value, str):
                    node = _member(node, index.value)
                else:
                    node = Call(f"{node.text}[{index.text}]", "[]", (node, index))
            else:
                return node

    def _primary(self) -> Node:
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return _number(text)
        if kind == "string":
            value = _text(text)
            return Literal(repr(value), value)
        if kind == "name":
            return self._named(text)
        if text == "(":
            node = self.ternary()
            self._expect(")")
            return node
        if text == "[":
            items = self._until("]")
            return ListOf(f"[{', '.join(i.text for i in items)}]", items)
        if text == "{":
            self._expect("}")
            return Literal("{}", {})
        raise _Unreadable

    def _named(self, text: str) -> Node:
        if text in ("true", "false", "null"):
            return Literal(text, {"true": True, "false": False, "null": None}[text])
        if self._take("("):
            args = self._until(")")
            return Call(f"{text}({', '.join(a.text for a in args)})", text, args)
        return Name(text, text)

    def _until(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._take(closing):
            if items:
                self._expect(",")
                if self._take(closing):
                    break
            items.append(self.ternary())
        return tuple(items)

    def _name(self) -> str:
        kind, text = self._tokens[self._at]
        if kind != "name":
            raise _Unreadable
        self._at += 1
        return text

    def _take(self, *signs: str) -> str:
        kind, text = self._tokens[self._at]
        if kind in ("sign", "name") and text in signs:
            self._at += 1
            return text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise _Unreadable


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while True:
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            raise _Unreadable
        yield match.lastgroup, match[match.lastgroup]
        if match.lastgroup == "end":
            return
        at = match.end()


def _member(of: Node, key: str) -> Node:
    return Member(f"{of.text}.{key}" if key.isidentifier() else f"{of.text}[{key!r}]", of, key)


def _number(text: str) -> Node:
    plain = text.rstrip("u") if not text.startswith("0x") else str(int(text.rstrip("u"), 16))
    value: float = float(plain) if any(c in plain for c in ".eE") else int(plain)
    return Literal(repr(value), value)


def _text(token: str) -> str:
    if token[0] in "rR":
        return token[2:-1]

    def plain(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise _Unreadable
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", plain, token[1:-1])
