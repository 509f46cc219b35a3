"""The language of the user's words, from its script and its most common words. Cheap, and silent when unsure."""

from __future__ import annotations

from collections.abc import Mapping

SAMPLE = 300
"""Characters looked at."""

COMMON: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        "the and is are you what how of to in that it for with this have be do can i my not on was please write why which a an".split()
    ),
    "de": frozenset(
        "der die das und ist nicht ein eine ich du wie was mit für auf von zu den dem im wir sie bitte warum kann es sind welche mir schreibe".split()
    ),
    "fr": frozenset(
        "le la les des et est un une je vous nous que qui pour dans avec sur pas ce cette comment pourquoi du au il sont mon écris s'il plaît quelle".split()
    ),
    "es": frozenset(
        "el la los las y es un una que de en por para con no como cómo qué cuál del al se mi está son escribe puede favor esta".split()
    ),
    "it": frozenset(
        "il lo la gli le e è un una che di per con non come cosa del della nel sono mi perché questo questa scrivi quale puoi si".split()
    ),
    "pt": frozenset(
        "o a os as e é um uma que de em para com não como do da no na se por qual quais são está meu você escreva isso".split()
    ),
    "nl": frozenset("de het een en is van ik je niet dat wat hoe met voor op te zijn aan dit waarom kun schrijf mijn er naar wij".split()),
    "pl": frozenset("i w na z jest nie to się że jak co do czy dla o po mi napisz dlaczego są jestem proszę który od przez".split()),
    "tr": frozenset("ve bir bu ne nasıl için ile mi mı değil neden çok var ben sen olarak daha gibi lütfen yaz hangi kadar".split()),
}
_MARKS = {
    "ß": "de",
    "ñ": "es",
    "¿": "es",
    "ã": "pt",
    "õ": "pt",
    "ł": "pl",
    "ż": "pl",
    "ę": "pl",
    "ğ": "tr",
    "ı": "tr",
    "ş": "tr",
    "œ": "fr",
    "ê": "fr",
    "ä": "de",
    "ü": "de",
    "ö": "de",
}
_PUNCTUATION = str.maketrans(dict.fromkeys('.,;:!?"()[]{}<>*`¿¡«»“”\n\t', " "))
_OTHER_CYRILLIC = frozenset("іїєґўјљњћђџѓќ")
_OTHER_ARABIC = frozenset("پچژگکیےٹڈ")


def language(text: str) -> str:
    """ISO 639-1 code: en de fr es it pt nl pl ru zh ja ko ar hi tr; empty when unsure."""
    sample = text[:SAMPLE].lower()
    if not sample.isascii() and (script := _script(sample)) is not None:
        return script
    return _latin(sample)


def _script(sample: str) -> str | None:
    """The language that a script gives away, empty for a script shared with others, None for Latin."""
    letters = kana = han = hangul = arabic = cyrillic = devanagari = other = 0
    for char in sample:
        code = ord(char)
        if code < 0x250 or not char.isalpha():
            letters += char.isalpha()
        elif 0x3040 <= code <= 0x30FF:
            kana += 1
        elif 0x4E00 <= code <= 0x9FFF:
            han += 1
        elif 0xAC00 <= code <= 0xD7AF:
            hangul += 1
        elif 0x0400 <= code <= 0x04FF:
            cyrillic += 1
        elif 0x0600 <= code <= 0x06FF:
            arabic += 1
        elif 0x0900 <= code <= 0x097F:
            devanagari += 1
        else:
            other += 1
    foreign = kana + han + hangul + arabic + cyrillic + devanagari + other
    if foreign * 4 < letters or not foreign:
        return None
    best = max(kana + han, hangul, arabic, cyrillic, devanagari, other)
    if best == other:
        return ""
    if best == hangul:
        return "ko"
    if best == kana + han:
        return "ja" if kana * 12 >= han else "zh"
    if best == cyrillic:
        return "" if _OTHER_CYRILLIC.intersection(sample) else "ru"
    if best == arabic:
        return "" if _OTHER_ARABIC.intersection(sample) else "ar"
    return "hi"


def _latin(sample: str) -> str:
    words = set(sample.translate(_PUNCTUATION).split())
    hits = {name: len(words & common) * 2 for name, common in COMMON.items()}
    if not sample.isascii():
        for mark in _MARKS.keys() & set(sample):
            hits[_MARKS[mark]] += 2
    best = max(hits, key=hits.__getitem__)
    top = hits.pop(best)
    needed = 2 if len(words) <= 4 else 4
    return best if top >= needed and top > max(hits.values()) else ""
