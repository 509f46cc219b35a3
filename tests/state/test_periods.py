"""The law of periods: those of one kind follow each other without gap or overlap, whatever the clocks of a zone do."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.budgets import Per
from tierline.state.periods import hour_of_week, period_at

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"]
)
TIMES = st.floats(946_684_800, 1_900_000_000)
PERS: st.SearchStrategy[Per] = st.sampled_from(["hour", "day", "week", "month"])


def at(text: str, zone: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@given(TIMES, PERS, ZONES)
def test_a_time_lies_in_its_period_and_the_next_one_begins_where_it_ends(time: float, per: Per, zone: str) -> None:
    period = period_at(time, per, zone)
    assert period.begins <= time < period.ends
    following = period_at(period.ends, per, zone)
    assert following.begins == period.ends and following.name != period.name


@given(TIMES, PERS, ZONES, st.floats(0, 1, exclude_max=True))
def test_every_time_of_a_period_finds_the_same_one(time: float, per: Per, zone: str, share: float) -> None:
    period = period_at(time, per, zone)
    assert period_at(min(period.begins + share * (period.ends - period.begins), time), per, zone) == period


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)], ids=["spring", "autumn", "an ordinary day"]
)
def test_the_day_on_which_the_clocks_change_is_an_hour_shorter_or_longer(day: str, hours: int) -> None:
    period = period_at(at(f"{day}T12:00", "Europe/Berlin"), "day", "Europe/Berlin")
    assert (period.ends - period.begins) / 3600 == hours
    assert period.name == f"day {day}"


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    sunday = at("2026-11-22T23:59", "Europe/Berlin")
    assert period_at(sunday, "week", "Europe/Berlin").name == "week 2026-11-16"
    assert period_at(sunday + 60, "week", "Europe/Berlin").name == "week 2026-11-23"
    assert period_at(sunday, "month", "Europe/Berlin").begins == at("2026-11-01T00:00", "Europe/Berlin")
    assert period_at(at("2024-02-29T12:00", "UTC"), "month", "UTC").ends == at("2024-03-01T00:00", "UTC")


def test_midnight_is_that_of_the_zone() -> None:
    evening = at("2026-11-21T20:00", "America/New_York")
    assert period_at(evening, "day", "UTC").name == "day 2026-11-22"
    assert period_at(evening, "day", "America/New_York").name == "day 2026-11-21"


def test_hours_of_a_week_count_from_mondays_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert hour_of_week(at("2026-11-23T00:30", "Europe/Berlin"), berlin) == 0
    assert hour_of_week(at("2026-11-29T23:30", "Europe/Berlin"), berlin) == 167
