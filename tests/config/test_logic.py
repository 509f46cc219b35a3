"""What the check believes of conditions is never contradicted by their evaluation."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tierline.config.cel_syntax import bound, read
from tierline.config.expressions import Condition, FirstMatch
from tierline.config.logic import Domain, always_holds, never_holds

DOMAINS = {
    "task": Domain(words=frozenset({"", "a", "b"})),
    "turns": Domain(low=0),
    "complexity": Domain(low=0, high=1),
}
ATOMS = st.one_of(
    st.builds("turns {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-1, 4)),
    st.builds("{} {} complexity".format, st.sampled_from([-0.5, 0.0, 0.5, 1.0, 1.5]), st.sampled_from(["<", "<=", ">", ">="])),
    st.builds("task {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(["", "a", "b", "c"])),
    st.sampled_from(["code", "stream", "task in ['a', 'c']", "true", "false", "needs.tools", "turns + 1 > 2"]),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({}) ? ({}) : ({})".format, inner, inner, inner),
    ),
    max_leaves=6,
)
WORLDS = st.fixed_dictionaries(
    {
        "task": st.sampled_from(["", "a", "b"]),
        "turns": st.integers(0, 5),
        "complexity": st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        "code": st.booleans(),
        "stream": st.booleans(),
        "needs": st.fixed_dictionaries({"tools": st.booleans()}),
    }
)


@given(CONDITIONS, st.lists(WORLDS, min_size=5, max_size=20))
def test_a_condition_believed_impossible_holds_nowhere(source: str, worlds: list[dict[str, Any]]) -> None:
    node = read(source)
    assert node is not None
    holds = [Condition.compile(source).holds(world) for world in worlds]
    assert not (never_holds(node, DOMAINS) and any(holds))
    assert not (always_holds(node, DOMAINS) and not all(holds))


@given(CONDITIONS, CONDITIONS, st.lists(WORLDS, min_size=5, max_size=20))
def test_a_rule_believed_shadowed_is_never_the_first_to_match(first: str, second: str, worlds: list[dict[str, Any]]) -> None:
    earlier, later = read(first), read(second)
    assert earlier is not None
    assert later is not None
    match = FirstMatch([Condition.compile(first), Condition.compile(second)])
    if never_holds(later, DOMAINS, [earlier]):
        assert 1 not in [match(world) for world in worlds]


@given(CONDITIONS)
def test_the_normal_form_of_a_condition_means_the_same_to_the_compiler(source: str) -> None:
    node = read(source)
    assert node is not None
    assert Condition.compile(node.text).names == Condition.compile(source).names


def test_expressions_that_differ_in_spaces_quotes_and_brackets_have_one_normal_form() -> None:
    forms = {node.text for text in ("(task=='a')", 'task == "a"', " task ==\n r'a' ") if (node := read(text)) is not None}
    assert forms == {"(task == 'a')"}


def test_what_the_reader_does_not_know_it_does_not_guess() -> None:
    assert [read(text) for text in ("task == b'a'", "'''a''' == task", "Message{a: 1}", "task ==", "task $ 1", r"task == '\x61'")] == [
        None
    ] * 6


def test_variables_of_macros_are_no_names_of_the_request() -> None:
    node = read("tags.exists(t, t == 'x') && operations.all(o, o != task)")
    assert node is not None
    assert bound(node) == {"t", "o"}
    condition = Condition.compile("tags.exists(t, t == 'x') && operations.all(o, o != task)")
    assert condition.names == {"tags", "operations", "task"}
    assert condition.holds({"tags": ["x"], "operations": ["y"], "task": "z"})
