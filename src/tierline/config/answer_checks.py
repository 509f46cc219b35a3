"""One struct for each kind of check that may stand in `validate`: its name is the kind, its fields are the entry's keys.

The docstrings and descriptions are the source of the reference and of the JSON Schema for editors. What a kind does stands in the module
of `tierline.validators` that is registered under its name; kinds of other packages are registered in the same group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tierline.config.spec import AtLeastOne, Count, Rate, Section

MOST_RETRIES = 3


class CheckSpec(Section, frozen=True, kw_only=True):
    """What every entry may say beside its check."""

    retry: Annotated[
        int, Meta(ge=0, le=MOST_RETRIES, description="how often a model may try again, told what was wrong, before a stronger one is asked")
    ] = 0


class SchemaCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer holds JSON that a JSON Schema accepts, by itself, in a fence or within prose."""

    schema: Annotated[
        str | dict[str, Any],
        Meta(description="a file relative to the spec, the schema itself, or `request`: the one that the client asked for"),
    ]
    repair: Annotated[bool, Meta(description="mend JSON that cannot be read; if it passes then, the mended one is given")] = True


class JsonCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer holds JSON, by itself, in a fence or within prose."""

    json: Annotated[Literal["any", "object", "array"], Meta(description="what the JSON must be")]
    repair: Annotated[bool, Meta(description="mend JSON that cannot be read, and give the mended one")] = True


class FieldsCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer's JSON has certain fields."""

    fields: Annotated[list[str], Meta(description="dotted paths; `items.0.price` is in the first item, `items.*.price` in every one")]
    empty: Annotated[bool, Meta(description="a field may hold null, an empty text, list or object")] = False


class PatternCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer matches a pattern somewhere; `^` and `$` tie it to the ends."""

    pattern: Annotated[str, Meta(description="an RE2 regular expression")]


class NotPatternCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer matches a pattern nowhere."""

    not_pattern: Annotated[str, Meta(description="an RE2 regular expression")]


class MinCharsCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is long enough, in characters."""

    min_chars: Annotated[AtLeastOne, Meta(description="fewest characters, white space at the ends not counted")]


class MaxCharsCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is short enough, in characters."""

    max_chars: Annotated[AtLeastOne, Meta(description="most characters, white space at the ends not counted")]


class MinWordsCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is long enough, in words; each character of a script without spaces counts as one."""

    min_words: Annotated[AtLeastOne, Meta(description="fewest words")]


class MaxWordsCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is short enough, in words; each character of a script without spaces counts as one."""

    max_words: Annotated[AtLeastOne, Meta(description="most words")]


class PhrasesSpec(Section, frozen=True, kw_only=True):
    """Whole words and phrases; case and white space are ignored."""

    restricted: Annotated[list[str], Meta(description="none of these may stand in the answer")] = []
    required: Annotated[list[str], Meta(description="each of these must stand in the answer")] = []


class PhrasesCheck(CheckSpec, frozen=True, kw_only=True):
    """Certain words stand in the answer, and others do not."""

    phrases: Annotated[PhrasesSpec, Meta(description="`restricted`, `required`, or both: lists of whole words and phrases, case ignored")]


class CitationsCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer cites the context it was given: bracket marks such as [2], addresses, quoted passages and a provider's own citations.
    What it cites must stand in the request."""

    citations: Annotated[Count, Meta(description="fewest citations; 0: none is needed, but each must be found")]
    support: Annotated[
        Rate | None,
        Meta(description="least share of the words of sentences with a mark that stand in the source they cite; left out: not measured"),
    ] = None


class ToolsCheck(CheckSpec, frozen=True, kw_only=True):
    """Every tool call names a tool that the request declares, with arguments that its schema accepts; and where the client requires a
    call, there is one."""

    tools: Annotated[Literal["valid", "required"], Meta(description="required: there must be a call, whatever the client says")]


class RefusalCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is no refusal."""

    refusal: Annotated[
        Literal["any", "typed"],
        Meta(description="typed: only what the provider marks as one; any: also answers that begin as refusals do, in twelve languages"),
    ]


class CompleteCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is whole: it did not run out of tokens, closes what it opens, ends a sentence, and does not go round in circles."""

    complete: Annotated[Literal["all", "truncation", "loops"], Meta(description="what to look for")]


class LanguageCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is in the right language. Needs the extra `language`."""

    language: Annotated[str, Meta(description="an ISO 639-1 code such as `de`, or `same`: the language of the last user turn")]
    unsure: Annotated[Literal["pass", "fail"], Meta(description="what becomes of a text whose language cannot be told")] = "pass"


class ConfidenceCheck(CheckSpec, frozen=True, kw_only=True):
    """The model was sure of its answer: by the probabilities of its tokens where the answer has them, else by asking a model how sure it
    is."""

    confidence: Annotated[Rate, Meta(description="least confidence")]
    measure: Annotated[Literal["mean", "min"], Meta(description="of the tokens' probabilities: the geometric mean, or the least")] = "mean"
    otherwise: Annotated[Literal["ask", "pass", "fail"], Meta(description="what to do with an answer without probabilities")] = "ask"
    model: Annotated[str, Meta(description="whom to ask; the model that answered if left out")] = ""


CodeLanguage = Literal["python", "json", "yaml", "javascript", "typescript", "sql"]


class CodeCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer's fenced code can be parsed; nothing is ever run. JavaScript, TypeScript and SQL need the extra `code`."""

    code: Annotated[
        list[CodeLanguage] | Literal["any"], Meta(description="the languages to check, or `any`: all that this installation can parse")
    ]
    required: Annotated[bool, Meta(description="an answer without a block in one of these languages is refused")] = False


class ToxicityCheck(CheckSpec, frozen=True, kw_only=True):
    """The answer is not offensive, as a small English model sees it, sentence by sentence. Needs the extra `toxicity`."""

    toxicity: Annotated[Rate, Meta(description="highest probability of offence that passes")]


class ToolSuccessCheck(CheckSpec, frozen=True, kw_only=True):
    """The tools that the model has called did not fail: where the client reports too many failed results, the answer is refused, so that
    a stronger model goes on."""

    tool_success: Annotated[AtLeastOne, Meta(description="failed results at the end of the conversation at which the answer is refused")]


class JudgeCheck(CheckSpec, frozen=True, kw_only=True):
    """Another model judges the answer by a rubric."""

    judge: Annotated[str, Meta(min_length=1, description="the rubric: what a good answer does")]
    model: Annotated[str, Meta(description="who judges; the cheapest of the lowest tier if left out")] = ""
    at_least: Annotated[Rate, Meta(description="lowest score that passes")] = 0.7
    unreadable: Annotated[Literal["fail", "pass"], Meta(description="what a missing or unreadable judgement means")] = "fail"


class AgreementCheck(CheckSpec, frozen=True, kw_only=True):
    """Another model, asked the same, says the same. It costs a second answer."""

    agreement: Annotated[str, Meta(min_length=1, description="the model to ask")]
    normalise: Annotated[
        Literal["auto", "number", "choice", "label", "json", "text"], Meta(description="what has to be the same for answers to agree")
    ] = "auto"


KINDS: Mapping[str, type[CheckSpec]] = {
    "schema": SchemaCheck,
    "json": JsonCheck,
    "fields": FieldsCheck,
    "pattern": PatternCheck,
    "not_pattern": NotPatternCheck,
    "min_chars": MinCharsCheck,
    "max_chars": MaxCharsCheck,
    "min_words": MinWordsCheck,
    "max_words": MaxWordsCheck,
    "phrases": PhrasesCheck,
    "citations": CitationsCheck,
    "tools": ToolsCheck,
    "refusal": RefusalCheck,
    "complete": CompleteCheck,
    "language": LanguageCheck,
    "confidence": ConfidenceCheck,
    "code": CodeCheck,
    "toxicity": ToxicityCheck,
    "tool_success": ToolSuccessCheck,
    "judge": JudgeCheck,
    "agreement": AgreementCheck,
}
"""Kind → its settings, in the order of the reference."""


def settings_of(kind: type[CheckSpec]) -> frozenset[str]:
    """The keys that an entry of this kind may have."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind))
