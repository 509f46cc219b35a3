"""Whether the policy that wrote a row could have done what the new one would.

Exactly, where the spec that decided is at hand: it is asked at every draw. Otherwise by what was seen: a row whose choice was left to
chance supports another model when chance did choose that model for the same route, task and spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.logged import Logged

SpecOf = Callable[[str], Decider | None]
"""Fingerprint → who decides under that spec, None where it is not at hand."""

_WHOLE = 1.0 - 1e-9


class Could(msgspec.Struct, frozen=True):
    """`known` is None while only the whole log can tell."""

    known: bool | None
    reason: str = ""


DETERMINISTIC = "the log left nothing to chance here, and never did otherwise"
NOT_BY_CHANCE = "chance had a part, but could not have chosen the new model"
NO_PROPENSITY = "it has no propensity"


class Supporter:
    """Tells support row by row, and remembers what chance did where only that can tell."""

    def __init__(self, spec_of: SpecOf) -> None:
        self._spec_of = spec_of
        self._seen: dict[tuple[str, str, str], set[str]] = {}
        self.exact = True

    def could(self, row: Logged, chances: Mapping[str, float]) -> Could:
        """Whether every target that the new spec may choose for this row was possible then."""
        done, wanted = row.decision, {target for target, chance in chances.items() if chance > 0}
        if not done.propensity > 0:
            return Could(False, NO_PROPENSITY)
        if done.propensity >= _WHOLE:
            return Could(True) if wanted == {done.target} else Could(False, DETERMINISTIC)
        self._seen.setdefault(_group(row), set()).add(done.target)
        if wanted == {done.target}:
            return Could(True)
        decider = self._spec_of(done.policy)
        if decider is None:
            self.exact = False
            return Could(None)
        possible = decider.chances(row, row.scores, done)
        return Could(True) if wanted <= set(possible) else Could(False, NOT_BY_CHANCE)

    def same(self, policy: str, route: str, task: str, target: str, propensity: float) -> None:
        """Note a row whose choice is certain to be made again; where chance had a part in it, chance was seen to choose this."""
        if propensity < _WHOLE:
            self._seen.setdefault((policy, route, task), set()).add(target)

    def seen(self, row_group: tuple[str, str, str], targets: frozenset[str]) -> bool:
        """Whether chance was seen to choose all of these in such a group; ask when every row has been read."""
        return targets <= self._seen.get(row_group, set())


def _group(row: Logged) -> tuple[str, str, str]:
    return row.decision.policy, row.decision.route, row.decision.task


def group_of(row: Logged) -> tuple[str, str, str]:
    """The rows whose chances are taken to be alike: one spec, route and task."""
    return _group(row)
