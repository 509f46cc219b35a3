"""The language of the user's words, from its script and its most common words. Cheap, and silent when unsure."""

from __future__ import annotations

from collections.abc import Mapping

SAMPLE = 200
"""Characters looked at."""


def _listed(text: str) -> frozenset[str]:
    """Words separated by white space."""
    return frozenset(text.split())


COMMON: Mapping[str, frozenset[str]] = {
    "en": _listed(
        """
        a an and are be can do for have how i in is it my not of on please that the this to was what which why with write you
        """
    ),
    "de": _listed(
        """
        auf bitte das dem den der die du ein eine es für ich im ist kann mir mit nicht schreibe sie sind und von warum was welche
        wie wir zu
        """
    ),
    "fr": _listed(
        """
        au avec ce cette comment dans des du est et il je la le les mon nous pas plaît pour pourquoi que quelle qui s'il sont sur
        un une vous écris
        """
    ),
    "es": _listed(
        """
        al como con cuál cómo de del el en es escribe esta está favor la las los mi no para por puede que qué se son un una y
        """
    ),
    "it": _listed(
        """
        che come con cosa del della di e gli il la le lo mi nel non per perché puoi quale questa questo scrivi si sono un una è
        """
    ),
    "pt": _listed(
        """
        a as com como da de do e em escreva está isso meu na no não o os para por quais qual que se são um uma você é
        """
    ),
    "nl": _listed(
        """
        aan dat de dit een en er het hoe ik is je kun met mijn naar niet op schrijf te van voor waarom wat wij zijn
        """
    ),
    "pl": _listed(
        """
        co czy dla dlaczego do i jak jest jestem który mi na napisz nie o od po proszę przez się są to w z że
        """
    ),
    "tr": _listed(
        """
        ben bir bu daha değil gibi hangi ile için kadar lütfen mi mı nasıl ne neden olarak sen var ve yaz çok
        """
    ),
}
_MARKS = {
    "ß": "de", "ä": "de", "ö": "de", "ü": "de", "ñ": "es", "¿": "es", "ã": "pt", "õ": "pt", "ł": "pl", "ż": "pl", "ę": "pl", "ğ": "tr", "ı": "tr", "ş": "tr", "œ": "fr", "ê": "fr",
}  # fmt: skip
_PUNCTUATION = str.maketrans(dict.fromkeys('.,;:!?"()[]{}<>*`¿¡«»“”\n\t', " "))
_ENGLISH = COMMON["en"]
_SCRIPTS = (
    ("kana", 0x3040, 0x30FF), ("han", 0x4E00, 0x9FFF), ("ko", 0xAC00, 0xD7AF), ("ru", 0x0400, 0x04FF), ("ar", 0x0600, 0x06FF), ("hi", 0x0900, 0x097F),
)  # fmt: skip
_OTHERS = {"ru": frozenset("іїєґўјљњћђџѓќ"), "ar": frozenset("پچژگکیےٹڈ")}
"""Letters of the script that the language itself does not use: Ukrainian, Serbian; Persian, Urdu."""


def language(text: str) -> str:
    """ISO 639-1 code: en de fr es it pt nl pl ru zh ja ko ar hi tr; empty when unsure."""
    sample = text[:SAMPLE].lower()
    if sample.isascii():
        words = set(sample.split())
        if len(words & _ENGLISH) * 4 > len(words) > 4:
            return "en"
    elif (script := _script(sample)) is not None:
        return script
    return _latin(sample)


def _script(sample: str) -> str | None:
    """The language that a script gives away, empty for a script shared with others, None for Latin."""
    seen = dict.fromkeys(("latin", "other", "kana", "han", "ko", "ru", "ar", "hi"), 0)
    for char in sample:
        if char.isalpha():
            seen[_name(ord(char))] += 1
    latin = seen.pop("latin")
    if sum(seen.values()) * 4 <= latin:
        return None
    if seen["kana"] * 12 >= seen["han"]:
        seen["ja"] = seen.pop("kana") + seen.pop("han") if seen["kana"] else 0
    else:
        seen["zh"] = seen.pop("kana") + seen.pop("han")
    best = max(seen, key=seen.__getitem__)
    return "" if best == "other" or not _OTHERS.get(best, _NONE).isdisjoint(sample) else best


_NONE: frozenset[str] = frozenset()


def _name(code: int) -> str:
    if code < 0x250:
        return "latin"
    for name, first, last in _SCRIPTS:
        if first <= code <= last:
            return name
    return "other"


def _latin(sample: str) -> str:
    words = set(sample.translate(_PUNCTUATION).split())
    hits = {name: 2 * len(words & common) for name, common in COMMON.items()}
    if not sample.isascii():
        for mark in _MARKS.keys() & set(sample):
            hits[_MARKS[mark]] += 2
    best = max(hits, key=hits.__getitem__)
    top = hits.pop(best)
    needed = 2 if len(words) <= 4 else 4
    return best if top >= needed and top > max(hits.values()) else ""
