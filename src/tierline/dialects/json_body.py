"""Reading a client's JSON body: its top-level fields as the bytes it sent, and a typed view; every fault names its place.

The fast path is msgspec. It refuses what some clients send and upstreams take (lone surrogates), so what it refuses is read
again by the standard library: there the fields still hold the client's own bytes, and only the typed view is mended.
"""

from __future__ import annotations

import json
import json.decoder
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from tierline.types.errors import BadRequest

T = TypeVar("T")
Fields = dict[str, msgspec.Raw]

_fields = msgspec.json.Decoder(Fields)
_FAULT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)
_TOO_DEEP = "the JSON is nested too deeply; send at most a few hundred levels"


def fields_and_view(body: bytes) -> tuple[Fields, bytes]:
    """The top-level fields of `body`, each as its own bytes, and a body that typed decoders take (as a rule `body` itself).

    Raises BadRequest for anything that is no JSON object in UTF-8, with line and column."""
    try:
        if not body.isascii():
            body.decode()
        return _fields.decode(body), body
    except UnicodeDecodeError as fault:
        raise BadRequest(f"the body is not UTF-8: invalid byte at position {fault.start}") from None
    except RecursionError:
        raise BadRequest(_TOO_DEEP) from None
    except msgspec.ValidationError:
        raise BadRequest("the body must be a JSON object") from None
    except msgspec.DecodeError:
        return _tolerant(body.decode())


def typed(decoder: msgspec.json.Decoder[T], view: bytes) -> T:
    """The typed view of a body; raises BadRequest naming the field whose type is wrong."""
    try:
        return decoder.decode(view)
    except msgspec.ValidationError as fault:
        raise wrong_type(fault) from None
    except RecursionError:
        raise BadRequest(_TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest("the body is not valid JSON") from None


def wrong_type(fault: msgspec.ValidationError) -> BadRequest:
    """The BadRequest for a field of the wrong type: `messages[3].content: expected str | array | null, got int`."""
    match = _FAULT.match(str(fault))
    what, where = (match["what"], match["where"]) if match else (str(fault), None)
    what = what.replace("`", "")
    return BadRequest(f"{where}: {what[0].lower()}{what[1:]}" if where else what, param=where or None)


def field_of(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes, where: str) -> T:
    """The value of the field `where` (empty: of the body itself); raises BadRequest with the place of the fault within it."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise wrong_field(fault, where) from None


def wrong_field(fault: Exception, where: str) -> BadRequest:
    """The BadRequest for a fault inside the field `where`."""
    if not isinstance(fault, msgspec.ValidationError):
        return BadRequest(f"{where or 'the body'}: cannot be read", param=where or None)
    inner = wrong_type(fault)
    at = ".".join([name for name in (where, inner.param) if name])
    said = inner.message.removeprefix(f"{inner.param}: ")
    return BadRequest(f"{at}: {said}", param=at or None)


def _tolerant(text: str) -> tuple[Fields, bytes]:
    try:
        document = json.loads(text, parse_constant=_no_constant, parse_int=_small_int, parse_float=_finite)
        if not isinstance(document, dict):
            raise BadRequest("the body must be a JSON object")
        return _slices(text), json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    except json.JSONDecodeError as fault:
        raise BadRequest(f"the body is not valid JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise BadRequest(_TOO_DEEP) from None


def _no_constant(word: str) -> NoReturn:
    raise BadRequest(f"the body is not valid JSON: {word} is no JSON value")


def _small_int(digits: str) -> int:
    return int(digits) if len(digits) < 19 else 2**62


def _finite(number: str) -> float:
    value = float(number)
    return value if abs(value) < 1e300 else 1e300


def _slices(text: str) -> Fields:
    """The top-level fields of a valid JSON object, each as the very text that stood there."""
    blank = json.decoder.WHITESPACE  # type: ignore[attr-defined]  # the pattern the standard library's own decoder uses
    decoder: Any = json.JSONDecoder(parse_int=_small_int)
    fields: Fields = {}
    at = blank.match(text, text.index("{") + 1).end()
    while text[at] == '"':
        key, at = decoder.raw_decode(text, at)
        start = blank.match(text, text.index(":", at) + 1).end()
        _, end = decoder.raw_decode(text, start)
        fields[key] = msgspec.Raw(text[start:end].encode())
        at = blank.match(text, end).end()
        if text[at] == ",":
            at = blank.match(text, at + 1).end()
    return fields
