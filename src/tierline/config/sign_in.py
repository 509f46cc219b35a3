"""How a call signs in to a provider: the words that `auth` may hold, and what the clouds' own ways need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Library(NamedTuple):
    """The official library of a cloud, and the extra of Tierline that installs it."""

    package: str
    extra: str


LIBRARIES: Mapping[str, Library] = {
    "google": Library("google-auth", "vertex"),
    "azure": Library("azure-identity", "azure"),
    "aws": Library("botocore", "bedrock"),
}
"""The words of `auth` that stand for a cloud's own credentials, which are no text to be sent as it is."""

WORDS = ("bearer", "none", *LIBRARIES)
"""Every word of `auth` with a meaning of its own; any other is the name of a header."""

_AWS_HOST = re.compile(r"(?:^|\.)(bedrock(?:-[a-z]+)*)\.([a-z]{2}(?:-[a-z]+)+-\d+)\.")
_AWS_REGION = re.compile(r"^[a-z]{2}(?:-[a-z]+)+-\d+$")


def aws_scope(base_url: str, region: str) -> tuple[str, str] | None:
    """Service and region that a signature for this address is made for: as its host says, else `region` where that is one of Amazon's;
    None where neither tells."""
    host = urlsplit(base_url).hostname or ""
    told = _AWS_HOST.search(host)
    if told is not None:
        return ("bedrock-mantle" if told[1] == "bedrock-mantle" else "bedrock"), told[2]
    return ("bedrock", region) if _AWS_REGION.match(region) else None
