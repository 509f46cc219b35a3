"""Does what an answer's check says have a meaning: do its files, patterns, models and languages exist?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tierline.config.answer_checks import (
    AgreementCheck,
    CheckSpec,
    CitationsCheck,
    CodeCheck,
    ConfidenceCheck,
    FieldsCheck,
    JudgeCheck,
    LanguageCheck,
    NotPatternCheck,
    PatternCheck,
    PhrasesCheck,
    SchemaCheck,
    ToxicityCheck,
)
from tierline.config.case import Case
from tierline.config.check_patterns import pattern_takes
from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.languages import LANGUAGES

EXTRAS: Mapping[str, str] = {"pycld2": "language", "sqlglot": "code", "tree_sitter": "code", "profanity_check": "toxicity"}
"""Module → the extra that installs it."""

CODE_PARSERS: Mapping[str, str] = {"javascript": "tree_sitter", "typescript": "tree_sitter", "sql": "sqlglot"}
"""Language of code → the module that parses it, for those that the base install does not parse."""


def examine_settings(case: Case, place: Place, check: CheckSpec) -> None:
    """Reports what has the right shape but no good meaning in one entry."""
    meaning = _MEANINGS.get(type(check))
    if meaning is not None:
        meaning(case, place, check)


def _schema(case: Case, place: Place, check: SchemaCheck) -> None:
    at = (*place, "schema")
    if check.schema == "request" or (isinstance(check.schema, str) and has_placeholder(check.schema)):
        return
    from tierline.config.json_schemas import SchemaInvalid, compiled, read_schema  # noqa: PLC0415  # 8 MB that few specs need

    try:
        compiled(read_schema(Path(case.problems.file).parent / check.schema) if isinstance(check.schema, str) else check.schema)
    except SchemaInvalid as error:
        hint = "paths are relative to the spec; `request` takes the client's own schema" if "read" in error.message else "mend the schema"
        case.problems.error(at, error.message, hint)


def _pattern(case: Case, place: Place, check: PatternCheck | NotPatternCheck) -> None:
    key = "pattern" if isinstance(check, PatternCheck) else "not_pattern"
    pattern_takes(case, (*place, key), check.pattern if isinstance(check, PatternCheck) else check.not_pattern)


def _fields(case: Case, place: Place, check: FieldsCheck) -> None:
    if not check.fields:
        case.problems.error((*place, "fields"), "no field is named", "name one, e.g. [order.id]")
    for index, path in enumerate(check.fields):
        if not path or "" in path.split("."):
            case.problems.error((*place, "fields", index), "a part of this path is empty", "write names with single dots between them")


def _phrases(case: Case, place: Place, check: PhrasesCheck) -> None:
    at = (*place, "phrases")
    if not check.phrases.restricted and not check.phrases.required:
        case.problems.error(at, "no phrase is named", "add restricted: […] or required: […]")
    for key in ("restricted", "required"):
        for index, phrase in enumerate(getattr(check.phrases, key)):
            if not phrase.strip():
                case.problems.error((*at, key, index), "a phrase is empty", "remove it")
    both = {_folded(phrase) for phrase in check.phrases.restricted} & {_folded(phrase) for phrase in check.phrases.required}
    if both:
        case.problems.error(at, f"{min(both)!r} is both restricted and required", "remove one of them")


def _folded(phrase: str) -> str:
    return " ".join(phrase.casefold().split())


def _citations(case: Case, place: Place, check: CitationsCheck) -> None:
    if check.support is not None and check.citations == 0:
        case.problems.warn((*place, "support"), "an answer without citations has no support to measure, and passes", "ask for citations: 1")


def _language(case: Case, place: Place, check: LanguageCheck) -> None:
    if check.language != "same" and check.language not in LANGUAGES:
        case.problems.unknown((*place, "language"), "language", check.language, LANGUAGES | {"same"})
    _needs(case, (*place, "language"), "pycld2")


def _confidence(case: Case, place: Place, check: ConfidenceCheck) -> None:
    _model(case, (*place, "model"), check.model)
    if check.model and check.otherwise != "ask":
        case.problems.warn((*place, "model"), "nobody is asked", "write otherwise: ask, or remove it")


def _code(case: Case, place: Place, check: CodeCheck) -> None:
    if not check.code:
        case.problems.error((*place, "code"), "no language is named", "name one, e.g. [python], or write any")
    for language in check.code if isinstance(check.code, list) else ():
        if language in CODE_PARSERS:
            _needs(case, (*place, "code"), CODE_PARSERS[language])


def _toxicity(case: Case, place: Place, _: ToxicityCheck) -> None:
    _needs(case, (*place, "toxicity"), "profanity_check")


def _judge(case: Case, place: Place, check: JudgeCheck) -> None:
    _model(case, (*place, "model"), check.model)
    if not check.judge.strip():
        case.problems.error((*place, "judge"), "the rubric is empty", "say what a good answer does")


def _agreement(case: Case, place: Place, check: AgreementCheck) -> None:
    _model(case, (*place, "agreement"), check.agreement)


def _model(case: Case, place: Place, name: str) -> None:
    if name and name not in case.models:
        case.problems.unknown(place, "model", name, case.models)


def _needs(case: Case, place: Place, module: str) -> None:
    if find_spec(module) is None:
        extra = EXTRAS[module]
        case.problems.error(place, f"this check needs the package {module}, which is not installed", f"install tierline[{extra}]")


_MEANINGS: Mapping[type[CheckSpec], Callable[[Case, Place, Any], None]] = {
    SchemaCheck: _schema,
    PatternCheck: _pattern,
    NotPatternCheck: _pattern,
    FieldsCheck: _fields,
    PhrasesCheck: _phrases,
    CitationsCheck: _citations,
    LanguageCheck: _language,
    ConfidenceCheck: _confidence,
    CodeCheck: _code,
    ToxicityCheck: _toxicity,
    JudgeCheck: _judge,
    AgreementCheck: _agreement,
}
