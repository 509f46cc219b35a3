"""`refusal`: the model declined to answer."""

from __future__ import annotations

import re

from tierline.config.answer_checks import RefusalCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.conversation import Refusal as RefusalPart
from tierline.types.outcome import Finding

_LOOKED_AT = 400
"""Characters at the start of an answer: refusals come first, or not at all."""

_HELP = (
    r"(?:help|assist|comply|fulfil+|provide|support|engage|participate|discuss|answer|continue|create|generate|write|share|give|"
    r"do that|do this)\b"
)
_CANNOT = r"(?:can'?t|cannot|can not|won'?t|will not|am unable to|'m unable to|am not able to|am not comfortable)"
_SORRY = r"(?:i apologi[sz]e|my apologies|apologies|sorry|unfortunately|i(?:'m| am) (?:so |very |truly |really )?(?:sorry|afraid))"
_UNABLE = r"i(?:'m| am) (?:unable|not able|not allowed|not permitted|not comfortable)\b"
_OPENINGS = (
    # English
    rf"{_SORRY}[,.]? (?:but )?(?:that )?i (?:can'?t|cannot|can not|won'?t) {_HELP}",
    rf"i(?:'m| am) (?:so |very |truly |really )?sorry[,.]? (?:but )?i ?{_CANNOT}",
    rf"{_SORRY}[,.]? (?:but )?{_UNABLE}",
    rf"i (?:can'?t|cannot|can not|won'?t|will not|must decline to|have to decline to) {_HELP}",
    rf"{_UNABLE}(?: to)? {_HELP}",
    r"i(?:'m| am) (?:just |only )?an? (?:ai|artificial intelligence|language model)[^.]{0,60}(?:can'?t|cannot|unable|not able)",
    r"as an? (?:ai|artificial intelligence|large language model|language model)\b[^.]{0,80}(?:can'?t|cannot|unable|not able|don'?t)",
    r"i (?:must|have to|need to) (?:respectfully |politely )?(?:decline|refuse)",
    r"(?:that|this) (?:request )?(?:is not something i can|goes against my|violates (?:my|our))",
    # German
    r"(?:es )?tut mir (?:sehr )?leid[,.]? (?:aber )?(?:ich kann|dabei kann ich|das kann ich|ich darf|bei dieser|dazu kann)",
    r"(?:leider )?(?:kann|darf) ich (?:ihnen |dir |euch )?(?:dabei|damit|das|dazu|diese[rsn]?)\b[^.]{0,40}nicht",
    r"ich kann (?:ihnen |dir )?(?:dabei|damit|bei dieser anfrage|das|diese anfrage)[^.]{0,30}nicht "
    r"(?:helfen|weiterhelfen|unterstützen|beantworten|erfüllen)",
    # French
    r"(?:je suis |je )?(?:désolée?|regrette)[,.]? (?:mais )?je ne (?:peux|puis) pas",
    r"je ne (?:peux|puis) pas (?:vous |t'|te |répondre|aider|fournir|accéder|satisfaire|continuer)",
    # Spanish
    r"lo siento[,.]? (?:pero )?no (?:puedo|me es posible)",
    r"no puedo (?:ayudar|asistir|proporcionar|cumplir|responder|participar)",
    # Italian
    r"mi dispiace[,.]? (?:ma )?non (?:posso|sono in grado)",
    r"non (?:posso|sono in grado di) (?:aiutar|fornir|assister|rispondere|soddisfare)",
    # Portuguese
    r"(?:sinto muito|desculpe|lamento)[,.]? (?:mas )?(?:eu )?não (?:posso|consigo)",
    r"(?:eu )?não posso (?:ajudar|fornecer|responder|atender|auxiliar)",
    # Dutch
    r"(?:het spijt me|sorry)[,.]? (?:maar )?(?:ik kan|daar kan ik|dat kan ik)[^.]{0,40}niet",
    # Polish
    r"(?:przykro mi|przepraszam)[,.]? (?:ale )?nie mogę",
    # Russian
    r"(?:извините|простите|к сожалению)[,.]? (?:но )?я не могу",
    r"я не могу (?:помочь|предоставить|ответить|выполнить)",
    # Chinese
    r"(?:很抱歉|抱歉|对不起|對不起|非常抱歉)[,\uff0c。]?(?:但)?(?:我)?(?:无法|無法|不能|不会|不會)",
    r"我(?:无法|無法|不能)(?:帮助|幫助|提供|协助|協助|回答|满足)",
    # Japanese
    r"(?:申し訳(?:ございません|ありません)|すみません|恐れ入りますが)[^。]{0,30}(?:できません|いたしかねます|お答えできません|お手伝いできません)",
    # Korean
    r"(?:죄송합니다|죄송하지만|미안하지만)[^.]{0,30}(?:없습니다|수 없|어렵습니다)",
)
_REFUSES = re.compile(r"(?:" + "|".join(_OPENINGS) + r")")
_PREFACE = re.compile(r"^(?:[\W_]+|(?:hello|hi|hey|thank you[^.!]{0,60}[.!]|thanks[^.!]{0,60}[.!]|hallo|bonjour|hola|ciao|olá)\b[\s,!.]*)+")
_FINISHES = ("content_filter", "refusal")


class Refusal:
    """See `RefusalCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._phrases = check.read(RefusalCheck).refusal == "any"

    def check(self, exchange: Exchange) -> Finding:
        """The provider's own marks first, then how the answer begins."""
        if exchange.finish in _FINISHES:
            return _refused(f"the provider ended it: {exchange.finish}")
        first = exchange.answer.choices[:1]
        if any(isinstance(part, RefusalPart) for choice in first for part in choice.parts):
            return _refused("the model marked it as a refusal")
        if self._phrases and reads_as_refusal(exchange.text):
            return _refused("it begins as refusals do")
        return Finding(True)


def reads_as_refusal(text: str) -> bool:
    """Whether a text begins as refusals do, in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian, Chinese,
    Japanese or Korean."""
    start = " ".join(text[:_LOOKED_AT].casefold().replace("’", "'").split())
    return _REFUSES.match(_PREFACE.sub("", start, count=1)) is not None


def _refused(detail: str) -> Finding:
    return Finding(False, detail, feedback="The request is legitimate: answer it as far as you can, and say what you leave out.")
