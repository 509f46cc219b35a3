"""The languages that an answer can be told to be in, by their ISO 639-1 codes: those that the language check can tell."""

from __future__ import annotations


def _listed(text: str) -> frozenset[str]:
    """Codes separated by white space."""
    return frozenset(text.split())


LANGUAGES = _listed(
    """
    aa ab af ak am ar as ay az ba be bg bh bi bn bo br bs ca co cs cy da de dv dz el en eo es et eu fa fi fj fo fr fy ga gd gl gn gu gv ha
    he hi hr ht hu hy ia id ie ig ik is it iu ja jv ka kk kl km kn ko ks ku ky la lb lg ln lo lt lv mg mi mk ml mn mr ms mt my na ne nl nn
    no nr ny oc om or pa pl ps pt qu rm rn ro ru rw sa sd sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt ug
    uk ur uz ve vi vo wo xh yi yo za zh zu
    """
)
"""Two letters each; Chinese is one, whichever its script."""
