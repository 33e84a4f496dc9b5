"""Bookings on one circuit are staggered where the lab turns it on, whoever is faster; and starts are advised."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from commons.devices.models import Command
from commons.people.models import User
from commons.people.services import set_role
from designs.models import FileVersion
from labs.engine.hours import Span
from labs.errors.commands import NoCommand
from labs.errors.rules import CircuitFull
from labs.models import Booking, Circuit, Lab, Machine, PowerMeter, Slice
from labs.queries import circuits, rules
from labs.services import bookings, commands
from labs.services import rules as rule_services
from tests.labs.conftest import design, lab, machine, person, tomorrow
from tests.labs.test_jobs import Agent

HOUR = dt.timedelta(hours=1)


def stand(of: Lab, limit_w: int = 1000, count: int = 3, rated_w: int = 600) -> list[Machine]:
    circuit = Circuit.objects.create(lab=of, name="Circuit X", limit_w=limit_w)
    return [machine(of, f"Printer {n}", rated_w=rated_w, circuit=circuit) for n in range(count)]


def turn_on(of: Lab) -> None:
    rule_services.set_rule(lab=of, name="circuit_budget", text="yes", by=None)


def book(asked: Machine, user: User, start: dt.datetime, hours: float = 2) -> Booking:
    return bookings.create_booking(machine=asked, user=user, start=start, end=start + hours * HOUR)


def test_off_by_default(city_lab: Lab) -> None:
    machines, start = stand(city_lab), tomorrow()
    for one in machines:
        book(one, person(), start)
    assert Booking.objects.count() == 3


def test_a_second_warm_up_is_refused_with_the_time_that_fits(city_lab: Lab) -> None:
    """600 + 600 W do not fit under 1000 W; 600 W beside one that is warm (400 W at most) do."""
    machines, start = stand(city_lab), tomorrow()
    turn_on(city_lab)
    book(machines[0], person(), start)
    with pytest.raises(CircuitFull) as refused:
        book(machines[1], person(), start)
    data = refused.value.data
    assert (data["circuit"], data["limit_w"], data["watts"]) == ("Circuit X", 1000, 1200)
    assert "Circuit X carries 1" in str(refused.value.sentence)
    assert "Printer 0" in str(refused.value.sentence)
    fits = dt.datetime.fromisoformat(data["fits"])
    assert start < fits <= start + HOUR / 4
    assert dt.datetime.fromisoformat(data["next_allowed"]["start"]) == fits
    assert book(machines[1], person(), fits).start == fits


def test_moving_a_booking_looks_at_the_circuit_and_not_at_itself(city_lab: Lab) -> None:
    machines, start = stand(city_lab), tomorrow()
    turn_on(city_lab)
    user = person()
    first = book(machines[0], user, start)
    other = book(machines[1], person(), start + 5 * HOUR)
    bookings.move_booking(booking=first, by=user, start=start + HOUR / 4, end=start + 2 * HOUR)
    with pytest.raises(CircuitFull):
        bookings.move_booking(booking=first, by=user, start=other.start, end=other.start + HOUR)


def test_a_machine_that_alone_is_too_much_says_so(city_lab: Lab) -> None:
    machines = stand(city_lab, limit_w=500)
    turn_on(city_lab)
    found = rules.why_not(
        machine=machines[0], user=person(), span=Span(tomorrow(), tomorrow() + HOUR), now=timezone.now()
    )
    assert [one.rule for one in found] == ["circuit_budget"]
    assert "alone asks" in found[0].sentence


def test_machines_of_one_step_count_together(city_lab: Lab) -> None:
    machines = stand(city_lab)
    turn_on(city_lab)
    with pytest.raises(CircuitFull):
        bookings.book_together(machines=machines[:2], user=person(), start=tomorrow(), end=tomorrow() + HOUR)
    assert not Booking.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_those_fit_that_the_circuit_carries() -> None:
    """Six people book six machines of one circuit for the same minute; it carries two that warm up together."""
    of = lab()
    machines = stand(of, limit_w=1300, count=6)
    turn_on(of)
    start, people = tomorrow(), [person() for _ in machines]
    gate, told = threading.Barrier(len(machines)), []

    def try_it(asked: Machine, user: User) -> None:
        gate.wait()
        try:
            book(asked, user, start)
            told.append("booked")
        except CircuitFull:
            told.append("full")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_it, args=pair) for pair in zip(machines, people, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(told) == ["booked"] * 2 + ["full"] * 4
    assert Booking.objects.count() == 2


def test_advice_waits_for_who_warms_up(city_lab: Lab, client: Client) -> None:
    machines = stand(city_lab)
    agent, now = Agent(machines[0]), timezone.now()
    assert circuits.start_advice(machines[1], now).may
    agent.tells(agent.says("started", now - dt.timedelta(minutes=1)))
    advice = circuits.start_advice(machines[1], now)
    assert (advice.may, advice.waits_for, advice.asks_w) == (False, ("Printer 0",), 600)
    assert advice.at is not None
    assert now < advice.at <= now + dt.timedelta(minutes=10)
    later = circuits.start_advice(machines[1], advice.at)
    assert later.may
    answer = client.get(f"/api/v1/machines/{machines[1].pk}/start-advice/").json()
    assert answer["may"] is False
    assert client.get("/api/v1/machines/999999/start-advice/").status_code == 404


def test_who_may_tie_meters(city_lab: Lab, client: Client) -> None:
    machines = stand(city_lab)
    boss, visitor = person(), person()
    set_role(organisation=city_lab.organisation, user=boss, role="owner")
    path = f"/labs/{city_lab.slug}/meters/"
    form: dict[str, Any] = {"name": "Plug 1", "of": f"machine:{machines[0].pk}", "class_pct": "1"}
    other = machine(lab())
    for who, code in ((None, 404), (visitor, 404), (boss, 200)):
        client.logout()
        if who is not None:
            client.force_login(who)
        assert client.get(path).status_code == code
        assert client.post(path, form).status_code == code
    meter = PowerMeter.objects.get()
    assert (meter.machine, meter.class_pct) == (machines[0], 1)
    assert client.post(path, {**form, "of": f"machine:{other.pk}"}).status_code == 404
    assert client.post(path, {**form, "of": ""}).status_code == 422
    assert client.post(path, {"do": "drop", "number": str(meter.pk)}).status_code == 302
    assert not PowerMeter.objects.exists()


def test_starts_by_command_wait_until_the_others_are_warm(city_lab: Lab) -> None:
    """600 + 600 W do not fit under 1000 W: the second start is refused with its time, until the rule is off."""
    machines, now = stand(city_lab, count=2), timezone.now()
    booked, digest = [], "a" * 64
    for one in machines:
        Agent(one)
        Machine.objects.filter(pk=one.pk).update(takes_commands=True)
        made = design(person(), b"x")
        booking = bookings.create_booking(
            machine=one, user=person(), start=now, end=now + HOUR, design=made.design, status="running"
        )
        version = FileVersion.objects.get(design=made.design)
        Slice.objects.create(
            booking=booking, machine=one, design=made.design, path="x.stl", commit=version.commit, blob="b",
            source_sha256="c" * 64, state="done", gcode_sha256=digest, gcode_size=1,
        )  # fmt: skip
        booked.append(booking)
    turn_on(city_lab)
    commands.send(booking=booked[0], sha256=digest, by=booked[0].user)
    with pytest.raises(NoCommand) as refused:
        commands.send(booking=booked[1], sha256=digest, by=booked[1].user)
    assert refused.value.data["why"] == "circuit"
    assert "Circuit X carries 1000 W, and Printer 0 warm up" in str(refused.value.sentence)
    assert now < dt.datetime.fromisoformat(refused.value.data["at"]) < now + HOUR
    commands.send(booking=booked[1], sha256=digest, by=booked[1].user, start=False)
    rule_services.set_rule(lab=city_lab, name="circuit_budget", text="no", by=None)
    commands.send(booking=booked[1], sha256=digest, by=booked[1].user)
    assert Command.objects.count() == 3
