"""A certificate: what is known of a candidate spec against the one at work, measured on data that it was not made from."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

Basis = Literal["better", "cheaper", "none"]
"""Why a candidate may answer: it is shown to be better, or shown to be cheaper and not worse by more than the margin; or it may not."""


class Measured(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval; None where nothing can be said, and `why` then says why not."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    why: str = ""

    @property
    def known(self) -> bool:
        """Whether it has an interval."""
        return self.low is not None and self.high is not None


class Evidence(msgspec.Struct, frozen=True):
    """One file that it was measured on: its name, the digest of what was read, and how many rows of it."""

    file: str
    digest: str
    rows: int


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """`candidate` and `before` are fingerprints; `made` Unix time in seconds. `quality` and `cost` are the change a request,
    candidate minus before, in points of [0, 1] and USD; `advantage` is the candidate's quality above a mix of single models that
    costs the same. `changed` of `decided` decisions on the log are others; `coverage` is the share of them of which the log can say
    what came of them. `regret` is quality a request below the oracle, `savings` the share of the best single model's cost that is
    saved; `worst` names the worst slice. `margin` is the loss of quality that was taken as none. `digest` is of all the rest: it shows
    that a figure was changed since, not who made it."""

    version: int = 2
    candidate: str
    before: str
    made: float
    basis: Basis
    why: str
    margin: float
    data: tuple[Evidence, ...] = ()
    advantage: Measured = Measured()
    quality: Measured = Measured()
    cost: Measured = Measured()
    regret: float | None = None
    savings: float | None = None
    worst: str = ""
    decided: int = 0
    changed: int = 0
    coverage: float | None = None
    digest: str = ""

    @property
    def intact(self) -> bool:
        """Whether it says what it said when it was made."""
        return self.digest == _digest(self)

    @property
    def granted(self) -> bool:
        """Whether the candidate may go beyond shadow."""
        return self.basis != "none"


def sealed(certificate: Certificate) -> Certificate:
    """The certificate with its digest."""
    return msgspec.structs.replace(certificate, digest=_digest(certificate))


def _digest(certificate: Certificate) -> str:
    plain = msgspec.structs.replace(certificate, digest="")
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:32]
