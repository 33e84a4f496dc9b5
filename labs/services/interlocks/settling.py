"""Speak to the relays: bring each to what the facts say now, and write down every word.

Whoever speaks to a relay holds a lock of its number in the database for so long, and decides after having it: so the
last word is always made from the newest facts, and a worker that dies holds nothing. No row is locked while we wait
for an answer.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs.engine import interlocks as engine
from labs.interlocks.speaking import Line, Said, speak
from labs.models import Interlock, InterlockCommand
from labs.queries import interlocks
from labs.services.bookings.telling import managers
from labs.services.interlocks.sealing import opened

#: The name space of our locks among the database's advisory ones.
LOCKS = 0x1AB5
MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Task:
    """One step for one relay."""

    held: Interlock
    wished: engine.Wish
    step: engine.Step
    follows: bool = False


def settle(keys: Iterable[int] | None = None, *, now: dt.datetime | None = None) -> int:
    """Look at these interlocks (all, when none are named) and tell each relay what is due; how many words were said.

    Named ones are waited for while another worker speaks to them; otherwise that worker's word will do.
    """
    rows = Interlock.objects.order_by("pk")
    numbers = list((rows if keys is None else rows.filter(pk__in=list(keys))).values_list("pk", flat=True))
    with _holding(numbers, wait=keys is not None) as mine:
        return _settle(mine, now)


def _settle(numbers: Sequence[int], now: dt.datetime | None) -> int:
    said = 0
    due = [_task(number, now or timezone.now()) for number in numbers]
    tasks = [task for task in due if task is not None]
    while tasks:  # a second turn only says “off” after something went wrong
        with ThreadPoolExecutor(max_workers=min(len(tasks), MOST_AT_ONCE)) as pool:
            answers = list(pool.map(lambda task: speak(_line(task.held), task.step), tasks))
        said += len(answers)
        after = [_record(task, answer, now or timezone.now()) for task, answer in zip(tasks, answers, strict=True)]
        tasks = [task for task in after if task is not None]
    return said


@contextmanager
def _holding(numbers: Sequence[int], *, wait: bool) -> Iterator[list[int]]:
    """The locks of these interlocks, lowest first; without waiting, those that nobody holds."""
    mine: list[int] = []
    with connection.cursor() as cursor:
        try:
            for number in numbers:
                if wait:
                    cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCKS, number])
                    mine.append(number)
                else:
                    cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, number])
                    if cursor.fetchone()[0]:
                        mine.append(number)
            yield mine
        finally:
            for number in mine:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, number])


def _task(number: int, now: dt.datetime) -> Task | None:
    held = Interlock.objects.select_related("machine__lab").filter(pk=number).first()
    if held is None:
        return None
    wished = interlocks.wish(held, now)
    if held.asked and not wished.on and held.state == Interlock.State.OFF:
        # refused now is not granted later by the clock: whoever wants power asks again
        same = Interlock.objects.filter(pk=number, asked=held.asked)
        same.update(asked=None, trouble=interlocks.words(wished.why)[:300])
    step = engine.step(_relay(held), wished, now, hold_s=held.hold_s)
    return None if step is None else Task(held, wished, step)


def _relay(held: Interlock) -> engine.Relay:
    return engine.Relay(engine.state(held.state), held.valid_until, held.next_at, held.failures)


def _line(held: Interlock) -> Line:
    password = opened(held.sealed)
    unreadable = "" if password is not None else _("The password was sealed with another key; type it in again.")
    on = held.state == Interlock.State.ON
    return Line(held.driver, held.url, held.username, password or "", dict(held.options), on, unreadable)


@transaction.atomic
def _record(task: Task, said: Said, now: dt.datetime) -> Task | None:
    """Write down what was said and what came of it; the “off” that is due at once, if any."""
    held = Interlock.objects.select_for_update(of=("self",)).select_related("machine__lab").get(pk=task.held.pk)
    person = interlocks.person_of(task.held)
    InterlockCommand.objects.create(
        machine_id=held.machine_id,
        at=now,
        what=task.step.deed,
        why=task.wished.why,
        answer=said.answer,
        sentence=said.sentence,
        driver=task.held.driver,
        for_s=task.step.for_s,
        took_ms=said.took_ms,
        booking=task.held.asked,
        person=person,
    )
    outcome = engine.after(_relay(task.held), task.step, said.answer, now)
    was, relay = held.state, outcome.relay
    held.state, held.valid_until, held.next_at, held.failures = (
        relay.state,
        relay.valid_until,
        relay.next_at,
        relay.failures,
    )
    if relay.state == "fault" or outcome.lost or relay.failures:
        held.trouble = said.sentence
    elif relay.state == "on" or (was == Interlock.State.FAULT and not task.follows):
        held.trouble = ""  # what went wrong stays to be read until power is on, or the relay obeys again
    if said.answer in {"on", "off"}:
        held.answered_at = now
    ended = task.step.deed == "off" and not task.wished.on
    if (outcome.lost or ended) and held.asked == task.held.asked:  # another may have asked in the meantime
        held.asked = None
    held.save()
    if (outcome.lost or relay.state == "fault") and was != Interlock.State.FAULT:
        _warn(held, person)
    return Task(held, task.wished, engine.Step("off"), follows=True) if outcome.then_off else None


def _warn(held: Interlock, person: User | None) -> None:
    """Those who run the lab, and whoever stands at the machine: power was lost, or the relay does not obey."""
    people = managers(held.machine.lab) + ([person] if person else [])
    with translation.override(settings.LANGUAGE_CODE):
        words = {"machine": held.machine.name, "why": held.trouble}
        text = _("%(machine)s has no power: %(why)s") % words
        lab, machine = held.machine.lab.slug, held.machine.slug
        url = reverse("rooms:machine", args=[lab, machine])
    tell(people=people, kind="labs.interlock", text=text, url=url, about=f"interlock {held.pk}")
