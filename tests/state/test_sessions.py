"""Sessions: which model answered last, bounded, forgotten after a silence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from tierline.state.sessions import Sessions


def test_the_model_that_answered_last_is_known_until_the_silence_is_too_long() -> None:
    sessions = Sessions()
    sessions.learn(0.0, "s", "a", ttl=10)
    sessions.learn(5.0, "s", "b", ttl=10)
    assert sessions.model(14.9, "s") == "b"
    assert sessions.model(15.0, "s") == ""
    assert len(sessions) == 0


@given(some.lists(some.tuples(some.integers(0, 20), some.sampled_from("ab")), max_size=100))
def test_the_last_few_sessions_are_known_and_no_more_are_kept(learned: list[tuple[int, str]]) -> None:
    sessions = Sessions(most=5)
    for at, (session, model) in enumerate(learned):
        sessions.learn(float(at), str(session), model, ttl=1e9)
    last = dict(learned)
    newest = list(dict.fromkeys(session for session, _ in reversed(learned)))[:5]
    assert len(sessions) == len(newest)
    assert {session: sessions.model(100.0, str(session)) for session in newest} == {session: last[session] for session in newest}


def test_sessions_of_models_that_are_gone_are_forgotten() -> None:
    sessions = Sessions()
    sessions.learn(0.0, "s", "gone", ttl=10)
    sessions.learn(0.0, "t", "stays", ttl=10)
    sessions.keep({"stays"})
    assert (sessions.model(1.0, "s"), sessions.model(1.0, "t")) == ("", "stays")
