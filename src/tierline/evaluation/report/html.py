"""HTML and SVG from Python, escaped unless it is markup already: what a table holds cannot become part of the page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"meta", "br", "hr", "col", "rect", "circle", "line", "path", "polyline", "polygon", "use"})


class Html(str):
    """Text that is markup: it is put into the page as it stands. Made only by `tag` and `join`, and for the page's own style."""

    __slots__ = ()


Child = str | int | Html | None | Iterable["Child"]
"""What may stand inside a tag: text (escaped), markup, nothing, or several of these."""


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """An element. `class_` and `for_` lose their underscore, `aria_label` becomes `aria-label`; an attribute that is None or False is left
    out, one that is True has no value."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None and value is not False)
    if name in _VOID and not children:
        return Html(f"<{name}{written}/>" if name in _SVG_VOID else f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """One piece of markup from several; text is escaped."""
    return Html("".join(map(_child, children)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return _escaped(str(child))
    return join(child)


def _attribute(key: str, value: str | float | bool) -> str:
    name = _CAMEL.get(key) or key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return f' {name}="{_escaped(f"{value:.6g}" if isinstance(value, float) else str(value))}"'


def _escaped(text: str) -> str:
    """Without the characters that no document may hold."""
    return escape("".join(char if char >= " " or char in "\t\n" else "�" for char in text), quote=True)


_SVG_VOID = _VOID - {"meta", "br", "hr", "col"}
_CAMEL = {"viewbox": "viewBox", "gradient_units": "gradientUnits"}
