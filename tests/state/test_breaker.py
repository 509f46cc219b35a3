"""The breaker: closed → open → half-open → closed, on a clock of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tierline.config.spec import BreakerSpec
from tierline.config.units import Duration
from tierline.state.breaker import LONGEST, LONGEST_PAUSE, Breaker, Ticket


def rules(*, failures: float = 0.5, window: float = 30, min_requests: int = 4, rest: float = 15, probes: int = 2) -> BreakerSpec:
    return BreakerSpec(failures=failures, window=Duration(window), min_requests=min_requests, rest=Duration(rest), probes=probes)


def fails(breaker: Breaker, now: float, times: int = 1, retry_after: float | None = None) -> None:
    for _ in range(times):
        breaker.failed(now, breaker.enter(now), retry_after=retry_after)


def succeeds(breaker: Breaker, now: float, times: int = 1) -> None:
    for _ in range(times):
        breaker.succeeded(now, breaker.enter(now))


def test_it_opens_once_enough_calls_were_made_and_enough_of_them_failed() -> None:
    breaker = Breaker(rules(min_requests=4))
    succeeds(breaker, 0.0, 2)
    fails(breaker, 1.0, 1)
    assert breaker.state(1.0) == "closed"
    fails(breaker, 1.0)
    assert (breaker.state(1.0), breaker.rest(1.0)) == ("open", 15.0)


def test_few_failures_among_many_good_calls_do_not_open_it() -> None:
    breaker = Breaker(rules(failures=0.5))
    for second in range(100):
        succeeds(breaker, float(second), 2)
        fails(breaker, float(second))
    assert breaker.state(100.0) == "closed"


def test_what_failed_before_the_window_is_forgotten() -> None:
    breaker = Breaker(rules(window=30, min_requests=4))
    fails(breaker, 0.0, 3)
    fails(breaker, 31.0)
    assert breaker.state(31.0) == "closed"


def test_a_failure_that_every_call_will_share_opens_it_at_once() -> None:
    breaker = Breaker(rules(min_requests=100))
    breaker.failed(0.0, breaker.enter(0.0), at_once=True)
    assert breaker.state(0.0) == "open"


def test_only_as_many_probes_go_through_as_the_spec_says_and_that_many_good_ones_close_it() -> None:
    breaker = Breaker(rules(probes=2))
    fails(breaker, 0.0, 4)
    assert not breaker.takes(14.9)
    assert breaker.state(15.0) == "half_open"
    probes = [breaker.enter(15.0), breaker.enter(15.0)]
    assert not breaker.takes(15.0)
    breaker.succeeded(16.0, probes[0])
    assert breaker.state(16.0) == "half_open"
    breaker.succeeded(16.0, probes[1])
    assert breaker.state(16.0) == "closed"


def test_a_failing_probe_doubles_the_rest_up_to_a_limit_and_a_close_resets_it() -> None:
    breaker, now = Breaker(rules(rest=15, probes=1)), 0.0
    fails(breaker, now, 4)
    rests = []
    for _ in range(7):
        rests.append(breaker.rest(now))
        now += breaker.rest(now)
        fails(breaker, now)
    assert rests == [15, 30, 60, 120, 240, 300, 300] and rests[-1] == 15 * LONGEST
    now += breaker.rest(now)
    succeeds(breaker, now)
    fails(breaker, now, 4)
    assert breaker.rest(now) == 15


def test_the_provider_s_wish_is_the_rest() -> None:
    breaker = Breaker(rules(rest=15))
    fails(breaker, 0.0, 4, retry_after=5.0)
    assert breaker.rest(0.0) == 5.0


def test_a_single_wish_rests_the_door_and_is_over_without_probation() -> None:
    breaker = Breaker(rules())
    fails(breaker, 0.0, retry_after=20.0)
    assert (breaker.state(0.0), breaker.takes(19.9)) == ("open", False)
    assert (breaker.state(20.0), breaker.takes(20.0)) == ("closed", True)


def test_no_wish_rests_a_door_for_ever() -> None:
    breaker = Breaker(rules())
    breaker.pause(0.0, 1e12)
    assert breaker.takes(LONGEST_PAUSE)


def test_calls_from_before_it_opened_neither_close_it_nor_lengthen_its_rest() -> None:
    breaker = Breaker(rules(probes=1))
    late = [breaker.enter(0.0) for _ in range(2)]
    fails(breaker, 0.0, 4)
    breaker.succeeded(16.0, late[0])
    assert breaker.state(16.0) == "half_open"
    breaker.failed(16.0, late[1])
    assert breaker.state(16.0) == "half_open"


def test_what_the_client_did_gives_its_probe_back_and_counts_for_nothing() -> None:
    breaker = Breaker(rules(probes=1))
    fails(breaker, 0.0, 4)
    breaker.abandoned(breaker.enter(15.0))
    assert breaker.state(15.0) == "half_open" and breaker.takes(15.0)


@given(
    some.lists(some.tuples(some.floats(0, 20), some.sampled_from(["bad", "bad at once", "good", "wish"]), some.floats(0, 100)), max_size=80)
)
def test_no_later_failure_shortens_a_rest(calls: list[tuple[float, str, float]]) -> None:
    breaker, now = Breaker(rules(probes=1)), 0.0
    for passed, kind, wish in calls:
        now += passed
        before = now + breaker.rest(now)
        ticket = breaker.enter(now)
        if kind == "good":
            breaker.succeeded(now, ticket)
            continue
        breaker.failed(now, ticket, at_once=kind == "bad at once", retry_after=wish if kind == "wish" else None)
        assert now + breaker.rest(now) >= before - 1e-9


class Breakers(RuleBasedStateMachine):
    """Any mixture of calls and times."""

    def __init__(self) -> None:
        super().__init__()
        self.rules = rules(probes=2)
        self.breaker = Breaker(self.rules)
        self.now = 0.0
        self.out: list[Ticket] = []

    @rule(seconds=some.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.takes(self.now))
    @rule()
    def a_call_goes_in(self) -> None:
        self.out.append(self.breaker.enter(self.now))

    @rule()
    def a_call_is_forced_in(self) -> None:
        self.out.append(self.breaker.enter(self.now))

    @precondition(lambda self: self.out)
    @rule(data=some.data(), how=some.sampled_from(["good", "bad", "abandoned"]))
    def a_call_comes_out(self, data: some.DataObject, how: str) -> None:
        ticket = self.out.pop(data.draw(some.integers(0, len(self.out) - 1)))
        if how == "good":
            self.breaker.succeeded(self.now, ticket)
        elif how == "bad":
            self.breaker.failed(self.now, ticket)
        else:
            self.breaker.abandoned(ticket)

    @invariant()
    def probes_are_never_more_than_allowed(self) -> None:
        lives = [ticket.life for ticket in self.out if ticket.probe]
        assert all(lives.count(life) <= self.rules.probes for life in lives)

    @invariant()
    def an_open_one_takes_nothing_and_its_rest_ends(self) -> None:
        state, rest = self.breaker.state(self.now), self.breaker.rest(self.now)
        assert (state == "open") == (rest > 0)
        assert rest <= self.rules.rest * LONGEST
        if state == "open":
            assert not self.breaker.takes(self.now)
        if state == "closed":
            assert self.breaker.takes(self.now)
        assert self.breaker.state(self.now + rest) != "open"


TestBreakers = Breakers.TestCase
