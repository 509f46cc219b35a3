"""Does a text look like a secret that somebody pasted into a file?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tierline.config.environment import has_placeholder

_PREFIXED = re.compile(
    r"^(Bearer\s+)?(sk-|sk_|gsk_|csk-|xai-|hf_|r8_|pplx-|nvapi-|fw_|tgp_|ghp_|github_pat_|AIza|AKIA|key-|eyJ)[A-Za-z0-9_\-.]{8,}$"
)
_RANDOM = re.compile(r"^[A-Za-z0-9_\-+/=.]{20,}$")


def looks_secret(text: str) -> bool:
    """True for a known provider's kind of key, or for a long run of letters and digits mixed."""
    if _PREFIXED.match(text):
        return True
    return bool(_RANDOM.match(text)) and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


_SECRET_KEYS = frozenset({"api_key", "api_keys", "secret"})
_PASSWORD = re.compile(r"://[^/@:\s]*:[^/@\s]+@")


def holds_secret(data: Any, key: str = "") -> bool:
    """Whether a spec, as it is written, has a secret in the file itself, where `${NAME}` should stand."""
    if isinstance(data, Mapping):
        return any(holds_secret(item, str(name)) for name, item in data.items())
    if isinstance(data, list | tuple):
        return any(holds_secret(item, key) for item in data)
    if not isinstance(data, str) or not data or has_placeholder(data):
        return False
    return key in _SECRET_KEYS or looks_secret(data) or bool(_PASSWORD.search(data))
