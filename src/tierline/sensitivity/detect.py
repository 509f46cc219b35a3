"""The built-in detector: every kind in one pass over a text, dear patterns only where digits stand near."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from tierline.config.loaded import Loaded
from tierline.sensitivity import national_ids, phones, secrets
from tierline.sensitivity.numbers import cards, ibans
from tierline.types.sensitivity import BUILT_IN, Spotted

_DIGITS = re.compile(r"\d(?:[^\d\n]{0,3}\d){5,}")
_BEFORE, _BEHIND = 48, 48
_LOCAL = re.compile(r"[\w.+%'\-]{1,64}\Z")
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\-\u00a1-\uffff]{0,61}[A-Za-z0-9\u00a1-\uffff])?\.)+[A-Za-z\u00a1-\uffff]{2,24}(?![\w])"
)
_OPENING = "'%.+-"
_LONGEST = 64

Near = Callable[[str, int, int], Iterator[tuple[int, int]]]


class Patterns:
    """Finds those of `kinds` that it knows. `regions` are the countries whose national form of a telephone number counts."""

    name = "patterns"

    def __init__(self, kinds: Sequence[str], regions: Sequence[str] = ("US",)) -> None:
        self.kinds = tuple([kind for kind in BUILT_IN if kind in kinds])
        near: Mapping[str, Near] = {
            "iban": ibans,
            "credit_card": cards,
            "national_id": national_ids.find,
            "phone": lambda text, start, end: phones.find(text, start, end, regions),
        }
        self._near = [(kind, look) for kind, look in near.items() if kind in self.kinds]

    def find(self, text: str) -> list[Spotted]:
        """Everything of these kinds in a text. Of what overlaps (an account number is no telephone number) the surer kind stays."""
        found: list[Spotted] = []
        if "email" in self.kinds:
            found += [Spotted("email", *span) for span in emails(text)]
        if "secret" in self.kinds:
            found += [Spotted("secret", *span) for span in secrets.find(text)]
        if self._near:
            for start, end in neighbourhoods(text):
                taken: list[tuple[int, int]] = []
                for kind, look in self._near:
                    for low, high in look(text, start, end):
                        if not any(low < other_high and other_low < high for other_low, other_high in taken):
                            taken.append((low, high))
                            found.append(Spotted(kind, low, high))
        return found


def of_spec(loaded: Loaded) -> Patterns:
    """The detector that a spec asks for."""
    return Patterns(loaded.spec.governance.detect, loaded.spec.governance.regions)


def neighbourhoods(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a text around six digits that stand near one another, none touching another."""
    start = end = -1
    for match in _DIGITS.finditer(text):
        low, high = max(match.start() - _BEFORE, 0), match.end() + _BEHIND
        if low > end:
            if end >= 0:
                yield start, min(end, len(text))
            start = low
        end = high
    if end >= 0:
        yield start, min(end, len(text))


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Every address: what stands around an `@` (or its URL form `%40`), read outwards from it."""
    for sign in ("@", "%40"):
        at = text.find(sign)
        while at >= 0:
            local = _LOCAL.search(text, max(at - _LONGEST, 0), at)
            domain = _DOMAIN.match(text, at + len(sign))
            if local is not None and domain is not None:
                start = local.start() + len(local[0]) - len(local[0].lstrip(_OPENING))
                if start < at:
                    yield start, domain.end()
            at = text.find(sign, at + len(sign))
