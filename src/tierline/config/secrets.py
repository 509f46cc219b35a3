"""Does a text look like a secret that somebody pasted into a file?"""

from __future__ import annotations

import re

_PREFIXED = re.compile(
    r"^(Bearer\s+)?(sk-|sk_|gsk_|csk-|xai-|hf_|r8_|pplx-|nvapi-|fw_|tgp_|ghp_|github_pat_|AIza|AKIA|key-|eyJ)[A-Za-z0-9_\-.]{8,}$"
)
_RANDOM = re.compile(r"^[A-Za-z0-9_\-+/=.]{20,}$")


def looks_secret(text: str) -> bool:
    """True for a known provider's kind of key, or for a long run of letters and digits mixed."""
    if _PREFIXED.match(text):
        return True
    return bool(_RANDOM.match(text)) and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
