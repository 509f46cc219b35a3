"""Does the data have the shape of the spec's structs? Every mismatch is found, not only the first.

What does not fit is reported and left out, so that the rest can be checked for its meaning in the same run.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.problems import Problems, did_you_mean
from tierline.config.spec import Spec
from tierline.config.units import Duration, Size

_DROP: Any = object()
"""What a value that does not fit becomes: left out by whatever holds it."""


def fit(data: dict[str, Any], problems: Problems, written: Mapping[str, Any] | None = None) -> Spec:
    """The spec that the data holds; what did not fit has been reported and is missing from it.

    `written` is the data with its variables unread, which is what the reports show: a value from the environment may be a secret."""
    try:
        return msgspec.convert(data, Spec, dec_hook=decode_unit)
    except msgspec.ValidationError:
        fitting = _Walk(problems, data if written is None else written).struct(data, shape(), ()) or {}
        fitting["version"] = 1
        return msgspec.convert(fitting, Spec, dec_hook=decode_unit)


S = TypeVar("S", bound=msgspec.Struct)


def fit_section(kind: type[S], data: dict[str, Any], place: Place, problems: Problems, written: Mapping[str, Any]) -> S | None:
    """One section that stands at `place` of the whole `written` data; None where a required key of it is missing or does not fit."""
    struct = inspect.type_info(kind)
    assert isinstance(struct, inspect.StructType)
    fitting = _Walk(problems, written).struct(data, struct, place)
    return None if fitting is _DROP else msgspec.convert(fitting, kind, dec_hook=decode_unit)


def decode_unit(kind: type, value: Any) -> Any:
    """The hook by which msgspec reads durations and sizes."""
    if kind is Duration or kind is Size:
        return kind.parse(value)
    raise NotImplementedError(f"no reader for {kind.__name__}")


@cache
def shape() -> inspect.StructType:
    """The type of the whole spec, taken apart."""
    shape = inspect.type_info(Spec)
    assert isinstance(shape, inspect.StructType)
    return shape


class _Walk:
    """Goes through data and type side by side."""

    def __init__(self, problems: Problems, written: Mapping[str, Any]) -> None:
        self._problems = problems
        self._written = written

    def struct(self, value: Any, shape: inspect.StructType, place: Place) -> Any:
        """The fitting part of a section; dropped as a whole when a required key is missing or does not fit."""
        if not isinstance(value, dict):
            return self._refuse(place, "a section of keys and values", value)
        fields = {field.encode_name: field for field in shape.fields}
        kept: dict[str, Any] = {}
        for key, item in value.items():
            if key not in fields:
                self._problems.error((*place, key), f"unknown key {key!r}", did_you_mean(key, fields))
                continue
            fitting = self.any(item, fields[key].type, (*place, key))
            if fitting is not _DROP:
                kept[key] = fitting
        for name, field in fields.items():
            if field.required and name not in value:
                self._problems.error(place, f"{name!r} is missing", f"add {name}: {meaning(field.type)}")
        whole = all(name in kept for name, field in fields.items() if field.required)
        return kept if whole or not place else _DROP

    def any(self, value: Any, kind: inspect.Type, place: Place) -> Any:
        """The fitting part of any value."""
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        if isinstance(kind, inspect.UnionType):
            return self._union(value, kind, place)
        if isinstance(kind, inspect.StructType):
            return self.struct(value, kind, place)
        if isinstance(kind, inspect.DictType):
            return self._mapping(value, kind, place)
        if isinstance(kind, inspect.ListType | inspect.VarTupleType):
            return self._list(value, kind, place)
        if isinstance(value, str) and has_placeholder(value) and not isinstance(kind, inspect.StrType | inspect.AnyType):
            return _DROP  # its variable is not set here, so nobody can say
        return self._leaf(value, kind, place)

    def _leaf(self, value: Any, kind: inspect.Type, place: Place) -> Any:
        if isinstance(kind, inspect.CustomType):
            try:
                return decode_unit(kind.cls, value)
            except ValueError as error:
                message, _, forms = str(error).partition(": ")
                self._problems.error(place, message, forms)
                return _DROP
        if isinstance(kind, inspect.LiteralType):
            if any(value == word and type(value) is type(word) for word in kind.values):
                return value
            near = did_you_mean(value, map(str, kind.values)) if isinstance(value, str) else ""
            return self._refuse(place, meaning(kind), value, near)
        if isinstance(kind, inspect.AnyType) or (type(value) in _ACCEPTED[type(kind)] and _within(value, kind)):
            return value
        return self._refuse(place, meaning(kind), value)

    def _mapping(self, value: Any, kind: inspect.DictType, place: Place) -> Any:
        if not isinstance(value, dict):
            return self._refuse(place, "a mapping of names to values", value)
        fitting = {key: self.any(item, kind.value_type, (*place, key)) for key, item in value.items()}
        return {key: item for key, item in fitting.items() if item is not _DROP}

    def _list(self, value: Any, kind: inspect.ListType | inspect.VarTupleType, place: Place) -> Any:
        if not isinstance(value, list):
            return self._refuse(place, meaning(kind), value, "write it in square brackets" if isinstance(value, str) else "")
        least = kind.min_length or 0
        if len(value) < least:
            self._problems.error(place, f"at least {least} are needed, got {len(value)}", meaning(kind))
            return _DROP
        fitting = [self.any(item, kind.item_type, (*place, index)) for index, item in enumerate(value)]
        kept = [item for item in fitting if item is not _DROP]
        return kept if len(kept) >= least else _DROP

    def _union(self, value: Any, kind: inspect.UnionType, place: Place) -> Any:
        if value is None and any(isinstance(member, inspect.NoneType) for member in kind.types):
            return None
        members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
        if len(members) > 1:
            members = [member for member in members if _holds(member, value)]
            if not members:
                return self._refuse(place, meaning(kind), value)
        return self.any(value, members[0], place)

    def _refuse(self, place: Place, wanted: str, value: Any, hint: str = "") -> Any:
        shown: Any = self._written
        for part in place:
            shown = shown[part]
        self._problems.error(place, f"expected {wanted}, got {_said(shown)}", hint or _hint(wanted, value))
        return _DROP


_ACCEPTED: Mapping[type, tuple[type, ...]] = {
    inspect.StrType: (str,),
    inspect.BoolType: (bool,),
    inspect.DateType: (datetime.date,),
    inspect.IntType: (int,),
    inspect.FloatType: (int, float),
    inspect.NoneType: (type(None),),
}


def _holds(kind: inspect.Type, value: Any) -> bool:
    """Whether a member of a union is of the value's own sort: a list, a mapping, or neither."""
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return isinstance(value, list)
    if isinstance(kind, inspect.DictType | inspect.StructType):
        return isinstance(value, dict)
    return not isinstance(value, list | dict)


def _within(value: Any, kind: inspect.Type) -> bool:
    """Whether a number is finite and within its limits; everything else has none."""
    if not isinstance(kind, inspect.IntType | inspect.FloatType):
        return True
    above = (kind.ge is None or value >= kind.ge) and (kind.gt is None or value > kind.gt)
    below = (kind.le is None or value <= kind.le) and (kind.lt is None or value < kind.lt)
    return math.isfinite(value) and above and below


def meaning(kind: inspect.Type) -> str:
    """A type in words: `a number from 0 to 1`, `a duration`, `one of call, read, admin`."""
    if isinstance(kind, inspect.Metadata):
        return meaning(kind.type)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(meaning(member) for member in kind.types if not isinstance(member, inspect.NoneType))
    if isinstance(kind, inspect.LiteralType):
        return ("one of " if len(kind.values) > 1 else "") + ", ".join(map(str, kind.values))
    if isinstance(kind, inspect.CustomType):
        return {Duration: "a duration", Size: "a size"}[kind.cls]
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return ("a whole number" if isinstance(kind, inspect.IntType) else "a number") + _limits(kind)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return f"a list of {_plural(kind.item_type)}"
    if isinstance(kind, inspect.DictType):
        return "a mapping" if isinstance(kind.value_type, inspect.AnyType) else f"a mapping of names to {_plural(kind.value_type)}"
    return _NAMES[type(kind)]


_NAMES: Mapping[type, str] = {
    inspect.StrType: "text",
    inspect.BoolType: "true or false",
    inspect.DateType: "a date such as 2026-11-01",
    inspect.AnyType: "any value",
    inspect.StructType: "a section",
}


def _plural(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    plain = {inspect.StructType: "sections", inspect.DictType: "mappings", inspect.StrType: "texts"}
    return plain.get(type(kind), "numbers" + _limits(kind) if isinstance(kind, inspect.IntType | inspect.FloatType) else meaning(kind))


def _limits(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:g} to {kind.le:g}"
    return "" if kind.ge is None else f", at least {kind.ge:g}"


def _said(value: Any) -> str:
    """A value as an error shows it: its kind, and itself where it is short. Never long text, which could hold a secret."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes/true/on" if value else "no/false/off"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value) if len(value) <= 24 else "a text"
    return {dict: "a mapping", list: "a list", datetime.date: f"the date {value}"}.get(type(value), "a date with a time of day")


def _hint(wanted: str, value: Any) -> str:
    if wanted == "text" and not isinstance(value, dict | list | type(None)):
        return "write it in quotes"
    if value is None:
        return "fill it in, or remove the key"
    if wanted.startswith("a date") and isinstance(value, datetime.datetime):
        return "leave the time of day out"
    if isinstance(value, str) and ("number" in wanted or wanted == "true or false"):
        return "write it without quotes or units"
    return ""
