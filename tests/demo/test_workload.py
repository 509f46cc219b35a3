"""The demo's generated workload."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tierline.demo.workload import generate


@given(st.integers(1, 120), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_same_seed_gives_the_same_day(count, seed):
    day = generate(count, seed)
    assert len(day) == count
    assert day == generate(count, seed)


def test_no_gap_is_left_open_and_no_prompt_names_its_family_or_a_task():
    for prompt in generate(300):
        body = prompt.body()
        assert "metadata" not in body
        assert body["model"] == "auto"
        for message in prompt.messages:
            assert prompt.family not in message["content"]
        assert "{order}" not in json.dumps(body) and "{part}" not in json.dumps(body)


def test_a_day_of_300_holds_every_family_and_ten_of_them():
    assert len({prompt.family for prompt in generate(300)}) == 10
