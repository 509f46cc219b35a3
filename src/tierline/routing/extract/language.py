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
        a about all an and any are as at be but by can could did do does for from had has have he how i if in into is it me more
        my not of on one or our out please she should some than that the their them then there they this to up was we were what
        when where which who why will with would write you your
        """
    ),
    "de": _listed(
        """
        aber als am auch auf bei bin bist bitte das dem den der die diese dieser dieses du ein eine einem einen einer es für
        gibt haben hat ich im ist kann mein meine mir mit nach nicht noch nur oder schreibe sich sie sind und uns vom von warum
        was welche wenn wer werden wie wir wird wo zu zum zur über
        """
    ),
    "fr": _listed(
        """
        ai as au aux avec avez ce cette comment dans des du elle elles est et faire fait il ils je la le les leur ma mais mes
        mon notre nous ou où pas peux plaît plus pour pourquoi que quel quelle qui s'il sa sans ses si son sont sur très un une
        votre vous écris être
        """
    ),
    "es": _listed(
        """
        al como con cuál cuándo cómo de del desde dónde el en es escribe esta este esto está favor ha hace hay he la las le les
        lo los mi mis muy más no nos para pero por puede que quién qué se ser si sin sobre son su sus te tu un una y
        """
    ),
    "it": _listed(
        """
        abbiamo al alla anche che chi come con cosa dal degli dei del della delle di dove e fare gli ha hai ho il io la le lo ma
        mi mia mio nel nella non per perché più puoi quale quando questa questo scrivi se si sono sua suo tu un una è
        """
    ),
    "pt": _listed(
        """
        a aos as com como da de do e ela ele em escreva essa esse está eu foi isso isto mais mas meu meus minha muito na nas no
        nos não o onde os ou para por quais qual quando que quem se ser seu sua são tem têm um uma você à é
        """
    ),
    "nl": _listed(
        """
        aan als ben bent bij dat de deze die dit door een en er hebben heeft het hoe hun ik is je kun maar met mijn naar niet
        nog om ons onze ook op over schrijf te uit van voor waar waarom wat wel wie wij worden wordt zijn
        """
    ),
    "pl": _listed(
        """
        ale być był była ci co czego czy czym dla dlaczego do gdzie i jak jest jestem już kiedy kto który lub ma mam mi mnie
        moje mój na napisz nie o od po proszę przez się są ta te tego ten to tylko tym w z że
        """
    ),
    "tr": _listed(
        """
        ama bana ben beni bir biz bu da daha değil en gibi hangi her ile için kadar kim lütfen mi mı nasıl ne neden nerede o
        olan olarak sana sen siz sonra var ve veya ya yaz zaman çok önce şey şu
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
