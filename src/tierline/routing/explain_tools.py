"""What tools first did, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.routing.explain import Explanation, explain
from tierline.routing.explain_course import told_after
from tierline.routing.router import Router
from tierline.types.ask import CLASSIFY, REMEMBERED
from tierline.types.outcome import Aside
from tierline.types.record import Record

_SAID = {
    "miss": "which did not know",
    "timeout": "which took too long",
    "failed": "which could not look",
    "cancelled": "when the client went away",
}


def explain_row(router: Router, record: Record) -> Explanation:
    """The whole story of a logged request: its tools, then its decision, then what came of it."""
    told = explain(router, record.features, record.scores, record.view, record.decision)
    told = preceded(told, told_first(record.answered, record.asides))
    return msgspec.structs.replace(told, sentences=(*told.sentences, *told_after(record)))


def preceded(told: Explanation, sentences: Sequence[str]) -> Explanation:
    """An explanation with sentences before its own."""
    return msgspec.structs.replace(told, sentences=(*sentences, *told.sentences))


def told_first(answered: str, asides: Sequence[Aside]) -> tuple[str, ...]:
    """The sentences of one row: each tool and each small model that was asked, and whether a model was needed. Empty where none was."""
    return (*_tools(answered, [aside for aside in asides if aside.purpose == "tool"]), *_prepared(asides))


def _asked_what(aside: Aside) -> str:
    if aside.detail == REMEMBERED:
        return f"{aside.target} had been asked what it is, of the same words, and that was remembered."
    return f"{aside.target} was asked what it is{'' if aside.ok else f', and could not say ({aside.error or aside.detail})'}."


def _prepared(asides: Sequence[Aside]) -> list[str]:
    said = []
    for aside in asides:
        does = _STEPS.get(aside.purpose)
        if aside.purpose == CLASSIFY:
            said.append(_asked_what(aside))
        if does is not None and aside.error == "content_blocked":
            said.append(f"{aside.target} was asked {does}, and it was blocked ({aside.detail}): no model answered it.")
        elif does is not None:
            said.append(f"{aside.target} was asked {does}{'' if aside.ok else f', and could not ({aside.error or aside.detail})'}.")
    return said


_STEPS = {
    "prepare/moderate": "whether it may be answered",
    "prepare/rewrite_query": "to rewrite its question",
    "prepare/summarise_history": "to sum up its history",
}


def _tools(answered: str, tools: Sequence[Aside]) -> tuple[str, ...]:
    if not tools:
        return ()
    told = [f"to {aside.target}, {'which answered' if aside.ok else _SAID.get(aside.error, aside.error)}" for aside in tools]
    first = f"Before any model, it was put {' and '.join(told)}."
    if not answered:
        return (first,)
    return (first, f"So {answered} answered and no model was asked; what follows says which one would have been.")


def asked_first(tools: Sequence[str], steps: Sequence[tuple[str, str]], unsure: str = "") -> tuple[str, ...]:
    """The sentences of a dry run: the tools that would be asked, each step that might prepare it, with its model, and the model that would
    be asked what it is, because the scorer is `unsure`; empty where none would."""
    first = [f"Before any model, it would be put to {', '.join(tools)}, in this order."] if tools else []
    last = [f"{unsure} would be asked what it is, for its task is unclear; what follows is decided without that."] if unsure else []
    then = [f"{model} would be asked {_STEPS[f'prepare/{kind}']}, where there is something to do." for kind, model in steps]
    return (*first, *then, *last)
