"""When a relay may give a machine power, and what follows from what the relay answers. Pure: the clock comes in.

Three rules carry the rest. Power is only ever switched on by an act of a person (a check-in), never by the clock.
Every “on” carries a time after which the relay itself opens, so that silence means off. And what was lost in between,
however it was lost, comes back only by another act of a person: a machine does not start by itself.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

State = Literal["off", "on", "fault"]
Deed = Literal["on", "hold", "off", "read"]
#: What a relay answered: contacts closed, contacts open, no answer at all, or an answer that is not what was asked.
Answer = Literal["on", "off", "silent", "refused"]
Why = Literal[
    "booked",
    "mending",
    "not-mending",
    "not-in-use",
    "locked",
    "in-repair",
    "not-checked-in",
    "not-qualified",
    "over",
    "account-closed",
    "nobody",
]

#: A relay that holds is told again when a third of its time has gone, so two messages may be lost.
RENEW_SHARE = 1 / 3
#: A relay's own timer is never set shorter, for those of some relays are coarse.
SHORTEST_S = 12
AGAIN_S, LONGEST_PAUSE_S = 15, 300
#: How often a relay that is off is asked whether it really is.
LOOK_S = 300


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a machine and of the booking for which power was asked; `ends` holds its grace already.

    `mending`: it was asked not for a booking but by somebody who was let to mend the machine, which counts only while
    the machine is `down`: in repair, or closed.
    """

    in_use: bool = True
    locked: bool = False
    in_order: bool = True
    asked: bool = False
    checked_in: bool = False
    active: bool = True
    qualified: bool = False
    mending: bool = False
    down: bool = False
    ends: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether there shall be power, why (not), and until when at the latest."""

    on: bool
    why: Why
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Relay:
    """What is known of a relay: as it answered last, when its own timer opens it, when it is asked again."""

    state: State = "off"
    valid_until: dt.datetime | None = None
    next_at: dt.datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What to tell the relay; `for_s` is the time of its own timer."""

    deed: Deed
    for_s: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The relay as it is known now; whether power was lost or refused, and whether to say “off” at once."""

    relay: Relay
    lost: bool = False
    then_off: bool = False


def state(text: str) -> State:
    """A stored state; one that is not known is a fault."""
    return "on" if text == "on" else "off" if text == "off" else "fault"


def wish(facts: Facts, now: dt.datetime) -> Wish:
    """Power is for a booking that is checked in and not over, of a person who may use the machine now; or for who was
    let to mend it, while it is down."""
    if facts.mending:
        return _wish_to_mend(facts, now)
    refused: tuple[tuple[bool, Why], ...] = (
        (not facts.in_use, "not-in-use"),
        (facts.locked, "locked"),
        (not facts.in_order, "in-repair"),
        (not facts.asked, "nobody"),
        (not facts.checked_in, "not-checked-in"),
        (not facts.active, "account-closed"),
        (not facts.qualified, "not-qualified"),
        (facts.ends is None or facts.ends <= now, "over"),
    )
    for speaks_against, why in refused:
        if speaks_against:
            return Wish(False, why)
    return Wish(True, "booked", facts.ends)


def _wish_to_mend(facts: Facts, now: dt.datetime) -> Wish:
    refused: tuple[tuple[bool, Why], ...] = (
        (not facts.in_use, "not-in-use"),
        (facts.locked, "locked"),
        (not facts.active, "account-closed"),
        (facts.ends is None or facts.ends <= now, "over"),
        (not facts.down, "not-mending"),
    )
    why = next((why for speaks_against, why in refused if speaks_against), None)
    return Wish(False, why) if why is not None else Wish(True, "mending", facts.ends)


def step(relay: Relay, wished: Wish, now: dt.datetime, *, hold_s: int) -> Step | None:
    """What to tell the relay now; None when nothing is due."""
    if wished.on and wished.until is not None:
        return _step_on(relay, wished.until, now, hold_s=hold_s)
    if relay.state != "on" and not _due(relay, now):
        return None
    return Step("read" if relay.state == "off" else "off")


def _step_on(relay: Relay, until: dt.datetime, now: dt.datetime, *, hold_s: int) -> Step | None:
    for_s = max(min(hold_s, int((until - now).total_seconds())), SHORTEST_S)
    if relay.state != "on":
        return Step("on", for_s)
    opens = relay.valid_until or now
    late = now >= opens - dt.timedelta(seconds=hold_s * (1 - RENEW_SHARE)) and opens < until and _due(relay, now)
    # a booking that was cut short: the relay's timer would run too long
    too_long = opens > until + dt.timedelta(seconds=SHORTEST_S)
    return Step("hold", for_s) if late or too_long else None


def _due(relay: Relay, now: dt.datetime) -> bool:
    return relay.next_at is None or relay.next_at <= now


def after(relay: Relay, did: Step, answer: Answer, now: dt.datetime) -> Outcome:
    """What follows from the answer."""
    if did.deed in {"on", "hold"}:
        return _after_on(relay, did, answer, now)
    if answer == "off":
        return Outcome(Relay("off", None, now + dt.timedelta(seconds=LOOK_S)))
    failed = _failed(relay, now)
    if did.deed == "read" and answer in {"on", "refused"}:
        return Outcome(failed, then_off=True)
    return Outcome(failed)


def _after_on(relay: Relay, did: Step, answer: Answer, now: dt.datetime) -> Outcome:
    if answer == "on":
        return Outcome(Relay("on", now + dt.timedelta(seconds=did.for_s)))
    if did.deed == "hold" and answer == "off":  # opened by its timer, by hand, by a power cut
        return Outcome(Relay("off", None, now + dt.timedelta(seconds=LOOK_S)), lost=True)
    runs_on = relay.valid_until is not None and now < relay.valid_until
    if did.deed == "hold" and answer == "silent" and runs_on:  # a lost message is no reason to cut a job of ten hours
        pause = dt.timedelta(seconds=AGAIN_S)
        return Outcome(replace(relay, failures=relay.failures + 1, next_at=now + pause))
    return Outcome(_failed(relay, now), lost=True, then_off=True)


def _failed(relay: Relay, now: dt.datetime) -> Relay:
    pause = min(AGAIN_S * 2**relay.failures, LONGEST_PAUSE_S) if relay.failures < 8 else LONGEST_PAUSE_S
    return Relay("fault", relay.valid_until, now + dt.timedelta(seconds=pause), relay.failures + 1)
