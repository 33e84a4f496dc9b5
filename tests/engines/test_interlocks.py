"""What the interlock's rules promise, against a relay that keeps time by itself and a network that loses messages."""

import datetime as dt
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from labs.engine import interlocks as engine
from labs.engine.interlocks import Answer, Facts, Relay, Step, Wish

START = dt.datetime(2026, 6, 18, 12, tzinfo=dt.UTC)
HOLD_S, TICK_S = 180, 15
SECOND = dt.timedelta(seconds=1)


@dataclass
class Real:
    """A relay as it is in the wall: its own timer opens it."""

    on: bool = False
    until: dt.datetime | None = None

    def tick(self, now: dt.datetime) -> None:
        if self.on and self.until is not None and now >= self.until:
            self.on, self.until = False, None

    def do(self, step: Step, now: dt.datetime) -> Answer:
        if step.deed == "off":
            self.on, self.until = False, None
        elif step.deed == "on" or (step.deed == "hold" and self.on):
            self.on, self.until = True, now + step.for_s * SECOND
        return "on" if self.on else "off"


EVENT = st.sampled_from(["ask", "leave", "by-hand-off", "unqualified", "", "", "", "", ""])
NET = st.sampled_from(["ok", "ok", "ok", "ok", "lost", "answer-lost", "lies"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(EVENT, NET, st.booleans()), min_size=10, max_size=80))
def test_no_power_without_a_person_and_none_beyond_the_relays_own_timer(story: list[tuple[str, str, bool]]) -> None:
    relay, real, now = Relay(next_at=START), Real(), START
    asked, qualified, ends = False, True, START + dt.timedelta(minutes=12)
    wished_at: dt.datetime | None = None
    closed_by_us = 0
    acts = 0
    for event, net, city_sleeps in story:
        real.tick(now)
        if event == "ask" and not asked:
            asked, acts = True, acts + 1
        asked = asked and event != "leave"
        qualified = event != "unqualified"
        if event == "by-hand-off":
            real.on, real.until = False, None
        facts = Facts(asked=asked, checked_in=True, qualified=qualified, ends=ends)
        wished = engine.wish(facts, now)
        if wished.on:
            wished_at = now
        elif relay.state == "off":
            asked = False
        step = None if city_sleeps else engine.step(relay, wished, now, hold_s=HOLD_S)
        while step is not None:
            was = real.on
            answer: Answer = "silent"
            if net != "lost":
                answer = real.do(step, now)
                answer = "silent" if net == "answer-lost" else "refused" if net == "lies" else answer
            closed_by_us += real.on and not was
            outcome = engine.after(relay, step, answer, now)
            relay = outcome.relay
            if outcome.lost or (step.deed == "off" and not wished.on):
                asked = False
            step = Step("off") if outcome.then_off else None
        real.tick(now)
        # power is only where it was wished for within the relay's own timer, whatever was lost in between
        if real.on:
            assert wished_at is not None
            assert now - wished_at <= (HOLD_S + engine.SHORTEST_S) * SECOND
            assert now < ends + (engine.SHORTEST_S + TICK_S) * SECOND
        # a relay is closed at most once for each act of a person
        assert closed_by_us <= acts
        now += TICK_S * SECOND


def test_what_speaks_against_power_is_named_and_the_worst_comes_first() -> None:
    good = {"asked": True, "checked_in": True, "qualified": True, "ends": START + SECOND}
    assert engine.wish(Facts(**good), START) == Wish(True, "booked", START + SECOND)  # type: ignore[arg-type]
    for change, why in [
        ({"in_use": False}, "not-in-use"),
        ({"locked": True, "in_order": False}, "locked"),
        ({"in_order": False}, "in-repair"),
        ({"asked": False}, "nobody"),
        ({"checked_in": False}, "not-checked-in"),
        ({"active": False}, "account-closed"),
        ({"qualified": False}, "not-qualified"),
        ({"ends": START}, "over"),
        ({"ends": None}, "over"),
    ]:
        assert engine.wish(Facts(**{**good, **change}), START) == Wish(False, why)  # type: ignore[arg-type]


def test_a_relay_that_holds_is_told_again_in_time_and_ends_with_the_booking() -> None:
    wished = Wish(True, "booked", START + 400 * SECOND)
    relay = engine.after(Relay(), Step("on", 180), "on", START).relay
    told = []
    for second in range(0, 400, TICK_S):
        now = START + second * SECOND
        step = engine.step(relay, wished, now, hold_s=HOLD_S)
        if step is not None:
            told.append((second, step.deed, step.for_s))
            relay = engine.after(relay, step, "on", now).relay
    assert told == [(60, "hold", 180), (120, "hold", 180), (180, "hold", 180), (240, "hold", 160)]
    assert relay.valid_until == wished.until


def test_a_booking_that_is_cut_short_shortens_the_timer_and_one_made_longer_lengthens_it() -> None:
    relay = Relay("on", START + 180 * SECOND)
    short = engine.step(relay, Wish(True, "booked", START + 30 * SECOND), START, hold_s=HOLD_S)
    assert short == Step("hold", 30)
    ending = Relay("on", START + 30 * SECOND)
    longer = engine.step(ending, Wish(True, "booked", START + 3600 * SECOND), START, hold_s=HOLD_S)
    assert longer == Step("hold", 180)


def test_silence_while_the_timer_runs_is_borne_and_after_it_power_is_lost() -> None:
    relay = Relay("on", START + 180 * SECOND)
    first = engine.after(relay, Step("hold", 180), "silent", START + 60 * SECOND)
    assert (first.lost, first.relay.state, first.relay.failures) == (False, "on", 1)
    late = engine.after(first.relay, Step("hold", 180), "silent", START + 181 * SECOND)
    assert (late.lost, late.then_off, late.relay.state) == (True, True, "fault")
    lie = engine.after(relay, Step("hold", 180), "refused", START + 60 * SECOND)
    assert (lie.lost, lie.then_off) == (True, True)
    opened = engine.after(relay, Step("hold", 180), "off", START + 60 * SECOND)
    assert (opened.lost, opened.relay.state) == (True, "off")


def test_a_relay_that_does_not_obey_is_told_off_again_and_again_more_slowly() -> None:
    relay, pauses, now = Relay("on", START), [], START
    for _ in range(8):
        step = engine.step(relay, Wish(False, "over"), now, hold_s=HOLD_S)
        assert step == Step("off")
        relay = engine.after(relay, step, "silent", now).relay
        assert relay.next_at is not None
        pauses.append((relay.next_at - now).total_seconds())
        assert engine.step(relay, Wish(False, "over"), now, hold_s=HOLD_S) is None
        now = relay.next_at
    assert pauses == [15, 30, 60, 120, 240, 300, 300, 300]
    assert engine.after(relay, Step("off"), "off", now).relay.state == "off"
