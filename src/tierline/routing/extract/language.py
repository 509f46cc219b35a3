"""The language of the user's words, from its script and its most common words. Cheap, and silent when unsure."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.routing.extract.tokens import classes

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
    mark: name
    for name, marks in (("de", "ßäöü"), ("es", "ñ¿"), ("pt", "ãõ"), ("pl", "łżęąść"), ("tr", "ğış"), ("fr", "œê"))
    for mark in marks
}
"""Letters that give a language away, or nearly."""
_PUNCTUATION = str.maketrans(dict.fromkeys('.,;:!?"()[]{}<>*`¿¡«»“”\n\t', " "))
_ENGLISH = COMMON["en"]
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
    encoded = sample.encode("utf-8", "surrogatepass")
    seen = dict.fromkeys(("ja", "zh", "ko", "ru", "ar", "hi", ""), 0)
    for name, marks in _MARKED:
        for mark in marks:
            seen[name] += encoded.count(mark)
    blocks = classes(encoded)
    for kind, name in _BLOCKS:
        seen[name] += blocks.count(kind)
    kana = seen["ja"]
    if kana * 12 >= seen["zh"] and kana:
        seen["ja"] += seen.pop("zh")
    if sum(seen.values()) * 4 <= sum(map(blocks.count, _LATIN)):
        return None
    best = max(seen, key=seen.__getitem__)
    return "" if not _OTHERS.get(best, _NONE).isdisjoint(sample) else best


_NONE: frozenset[str] = frozenset()
_MARKED = (("ja", (b"\xe3\x81", b"\xe3\x82", b"\xe3\x83")), ("hi", (b"\xe0\xa4", b"\xe0\xa5")), ("", (b"\xe0\xb8", b"\xe0\xb9")))
_BLOCKS = ((b"J", "zh"), (b"G", "ko"), (b"C", "ru"), (b"R", "ar"), (b"g", ""), (b"H", ""))
_LATIN = (b"a", b"L", b"P", b"V")


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
