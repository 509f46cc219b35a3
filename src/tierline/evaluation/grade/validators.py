"""Graded by the validators of the prompt's task in the spec: right is what every one of them lets pass.

Those that look for themselves go first; those that ask a model are paid for only when the others have said yes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tierline import plugins
from tierline.config.loaded import Loaded
from tierline.config.validation import Check, checks_of
from tierline.dialects.openai_chat import OpenAIChat
from tierline.evaluation.collect.call import Asks
from tierline.evaluation.collect.journal import AnswerLine
from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.grade.grader import Grade, print_of
from tierline.interfaces import Validator
from tierline.routing.extract import Extractor
from tierline.types.ask import Exchange
from tierline.types.errors import TierlineError
from tierline.types.hints import Hints
from tierline.types.outcome import Finding

_CHARS_PER_TOKEN = 4
_REPLY = 300
"""Tokens that a validator's question and its reply take beside the prompt and the answer."""
_ANSWER = 500


class ValidatorsGrader:
    """1 where every validator passes, else 0 and which did not; none for a task without validators. Raises PluginMissing for a kind that
    nobody registers."""

    name = "validators"

    def __init__(self, loaded: Loaded, asks: Asks) -> None:
        self._loaded = loaded
        self._asks = asks
        self._extract = Extractor(loaded)
        self._dialect = OpenAIChat()
        self._checks = {task: checks_of(task, spec.validate) for task, spec in loaded.spec.tasks.items() if spec.validate}
        kinds = plugins.find_all("validators", {check.kind for checks in self._checks.values() for check in checks})
        self._validators: Mapping[str, Sequence[Validator]] = {
            task: sorted((kinds[check.kind](check, loaded) for check in checks), key=_asks_a_model) for task, checks in self._checks.items()
        }

    def fingerprint(self, prompt: Prompt) -> str:
        """Of the task's checks, as the spec has them."""
        return print_of("validators", prompt.task, [msgspec.to_builtins(check) for check in self._checks.get(prompt.task, ())])

    def expected_cost(self, prompt: Prompt, /) -> float:
        """What the checks that ask a model are expected to cost."""
        asking = {validator.name for validator in self._validators.get(prompt.task, ()) if _asks_a_model(validator)}
        tokens = len(prompt.text) // _CHARS_PER_TOKEN + _ANSWER + _REPLY
        return sum(self._price(check, tokens) for check in self._checks.get(prompt.task, ()) if check.name in asking)

    async def grade(self, prompt: Prompt, answer: AnswerLine) -> Grade:
        """Asks every validator of the task until one says no."""
        validators = self._validators.get(prompt.task)
        if not validators:
            return Grade(None, f"the task {prompt.task!r} has no validators in the spec" if prompt.task else "the prompt names no task")
        try:
            exchange = self._exchange(prompt, answer)
        except TierlineError as error:
            return Grade(None, f"the answer cannot be read: {error.message}")
        cost = 0.0
        for validator in validators:
            finding, paid = await self._finding(validator, exchange)
            cost += paid
            if not finding.passed:
                return Grade(0.0, f"{validator.name}: {finding.detail}", cost)
            if finding.replacement is not None:
                exchange = msgspec.structs.replace(exchange, text=finding.replacement)
        return Grade(1.0, "", cost)

    async def _finding(self, validator: Validator, exchange: Exchange) -> tuple[Finding, float]:
        """What one validator finds, and the USD of what it asked."""
        found = validator.check(exchange)
        if isinstance(found, Finding):
            return found, 0.0
        cost = 0.0
        try:
            ask = next(found)
            while True:
                told = await self._asks(ask)
                cost += told.cost
                ask = found.send(told)
        except StopIteration as end:
            finding: Finding = end.value
            return finding, cost

    def _exchange(self, prompt: Prompt, answer: AnswerLine) -> Exchange:
        body = msgspec.json.encode({"model": answer.model, "messages": prompt.messages})
        request = msgspec.structs.replace(self._dialect.parse(body), id=prompt.digest, hints=Hints(task=prompt.task))
        completion = self._dialect.read_completion(answer.body.encode())
        return Exchange(request, self._extract(request), completion, answer.response, answer.finish, answer.model)

    def _price(self, check: Check, tokens: int) -> float:
        """USD of one question of a check: at its model's price, or the fleet's dearest where it names none."""
        named = self._loaded.models.get(str(check.settings.get("model", "")))
        models = [named] if named is not None else list(self._loaded.models.values())
        return max(model.price.cost(tokens, _REPLY) for model in models)


def _asks_a_model(validator: Validator) -> bool:
    return bool(getattr(validator, "asks", False))
