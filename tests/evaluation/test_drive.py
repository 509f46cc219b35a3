"""The offline driver: one generator, time that is reckoned."""

from __future__ import annotations

from collections.abc import Generator

from tierline.evaluation.drive import Stage, drive, perform
from tierline.routing.pursue import pursue
from tierline.testing.builders import failed, ok, rejected
from tierline.types.decision import Attempt, Decision, Round, Step
from tierline.types.outcome import Outcome, Result

DECISION = Decision("r-1", "auto", "p", (Step("fast", ("mini", "local")), Step("best", ("opus",))))


def asking(*rounds: Round) -> Generator[Round, tuple[Outcome, ...], Result]:
    """A course that asks for these rounds and gives back everything it was sent."""
    told = []
    for asked in rounds:
        told += list(zip(asked.attempts, (yield asked), strict=True))
    return Result(tuple(told), 0)


def test_it_answers_what_pursue_asks_for() -> None:
    answers = {"mini": failed("server"), "local": rejected(), "opus": ok()}
    result = drive(pursue(DECISION), lambda attempt: answers[attempt.target])
    assert [(attempt.target, attempt.cause) for attempt, _ in result.attempts] == [
        ("mini", "first"),
        ("local", "fallback"),
        ("opus", "escalation"),
    ]
    assert result.model == "opus"


def test_all_of_a_round_run_side_by_side() -> None:
    stage, ended = Stage(), list[float]()
    together = Round((Attempt(1, "a"), Attempt(2, "b")), until="all")
    perform(stage, asking(together), beginner(stage, {"a": ok(elapsed=3.0), "b": ok(elapsed=5.0)}), lambda _: ended.append(stage.now))
    stage.run()
    assert ended == [5.0]


def test_the_first_good_answer_wins_and_the_other_is_paid_for_in_part() -> None:
    race = Round((Attempt(1, "slow"), Attempt(2, "quick")), until="first", after=1.0)
    result = drive(asking(race), lambda attempt: ok(elapsed=10.0, cost=1.0) if attempt.target == "slow" else ok(elapsed=1.0, cost=0.1))
    (_, slow), (_, quick) = result.attempts
    assert quick.ok and slow.error == "outraced"
    assert (slow.elapsed, slow.cost) == (2.0, 0.2)


def test_what_never_began_cost_nothing() -> None:
    race = Round((Attempt(1, "quick"), Attempt(2, "spare")), until="first", after=5.0)
    result = drive(asking(race), lambda attempt: ok(elapsed=1.0))
    assert result.attempts[1][1] == Outcome(ok=False, error="outraced")


def test_when_the_first_fails_early_the_next_starts_at_once() -> None:
    stage, ended = Stage(), list[float]()
    race = Round((Attempt(1, "down"), Attempt(2, "up")), until="first", after=5.0)
    perform(stage, asking(race), beginner(stage, {"down": failed(elapsed=0.5), "up": ok(elapsed=1.0)}), lambda _: ended.append(stage.now))
    stage.run()
    assert ended == [1.5]


def test_a_wait_passes_before_the_call_and_is_not_in_its_time() -> None:
    stage, ended = Stage(), list[tuple[float, Result]]()
    waiting = Round((Attempt(1, "a", wait=2.0),))
    perform(stage, asking(waiting), beginner(stage, {"a": ok(elapsed=1.0)}), lambda result: ended.append((stage.now, result)))
    stage.run()
    ((now, result),) = ended
    assert now == 3.0 and result.attempts[0][1].elapsed == 1.0


def beginner(stage: Stage, answers: dict[str, Outcome]):  # type: ignore[no-untyped-def]
    def begin(attempt, finish):  # type: ignore[no-untyped-def]
        stage.after(answers[attempt.target].elapsed, lambda: finish(answers[attempt.target]))
        return lambda: failed("outraced")

    return begin
