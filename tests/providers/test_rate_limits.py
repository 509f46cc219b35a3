"""When a provider wishes to be asked again, in every form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tierline.providers.rate_limits import exhausted, limits_told, retry_after

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


def used_up(headers: dict[str, str]) -> float | None:
    """Seconds until a limit of this reply has something left again."""
    return exhausted(headers, limits_told(headers), NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
    ],
)
def test_a_wish_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_google_s_wish_stands_in_the_body() -> None:
    body = b'{"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37.5s"}]}}'
    assert retry_after({}, NOW, body) == 37.5
    assert retry_after({"retry-after": "2"}, NOW, body) == 2.0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("2m59.56s", 179.56), ("17", 17.0), ("1d", None), ("", None)],
)
def test_openai_s_durations(written: str, seconds: float | None) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": written}
    assert used_up(headers) == (None if seconds is None else pytest.approx(seconds))


def test_a_limit_with_something_left_is_not_used_up_and_of_several_the_longest_counts() -> None:
    headers = {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"}
    assert used_up(headers) is None
    headers |= {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "4s"}
    assert used_up(headers) == 4.0
    assert used_up({**headers, "x-ratelimit-remaining-requests": "0"}) == 9.0


@pytest.mark.parametrize("what", ["requests", "tokens", "input-tokens", "output-tokens"])
def test_anthropic_s_times(what: str) -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "12",
        "anthropic-ratelimit-requests-reset": "2015-10-21T07:28:59Z",
        f"anthropic-ratelimit-{what}-remaining": "0",
        f"anthropic-ratelimit-{what}-reset": "2015-10-21T09:28:42+02:00",
    }
    assert used_up(headers) == 42.0


@given(some.text(max_size=40), some.text(max_size=40))
def test_nonsense_is_no_wish_and_no_error(one: str, other: str) -> None:
    headers = {"retry-after": one, "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": other}
    wish = retry_after(headers, NOW)
    assert wish is None or wish >= 0
