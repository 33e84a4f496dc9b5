"""Bookings on one circuit are staggered where the lab turns it on, whoever is faster; and starts are advised."""

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from commons.devices import queries as devices_queries
from commons.devices import services as devices
from commons.devices.models import Command, Device
from commons.people.models import User
from commons.people.services import set_role
from designs.models import FileVersion
from labs.engine.hours import Span
from labs.errors.commands import NoCommand
from labs.errors.rules import CircuitFull
from labs.models import Booking, Circuit, Lab, Machine, PowerMeter, Slice
from labs.queries import board, circuits, live, profile, rules
from labs.services import bookings, commands, meters
from labs.services import rules as rule_services
from tests.labs.conftest import design, enrolled, lab, machine, person, tomorrow
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


def plug_of(of: Lab, **more: Any) -> tuple[Device, str]:
    """A plug that its agent has let in, of which nobody has said what it measures."""
    device, code = meters.add_plug(lab=of, name=more.get("name", "Bench plug"))
    return devices.enrol(code=str(code), kind="plug", hardware_id=str(device.pk))


def says(client: Client, token: str, circuit: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return client.put("/api/v1/device/circuit/", {"circuit": circuit}, "application/json", headers=headers)


def draws(device: Device, watts: float, ago: dt.timedelta = dt.timedelta(0)) -> None:
    seq = devices_queries.next_seq(device)
    item = {"seq": seq, "ts": (timezone.now() - ago).isoformat(), "channel": "power_w", "value": watts}
    devices.ingest(device=device, readings=[item])


def test_a_plug_is_tied_to_the_circuit_that_its_agent_names(city_lab: Lab, client: Client) -> None:
    stand(city_lab)
    other = Circuit.objects.create(lab=city_lab, name="Bench", limit_w=2000)
    elsewhere = lab()
    Circuit.objects.create(lab=elsewhere, name="Cellar", limit_w=500)
    device, token = plug_of(city_lab)
    assert list(meters.untied(city_lab)) == [device]
    assert says(client, token, "circuit x").json() == {"circuit": "Circuit X"}
    assert PowerMeter.objects.get(device=device).circuit == city_lab.circuits.get(name="Circuit X")
    assert says(client, token, "Bench").status_code == 200, "the plug was moved, and its agent says so"
    assert PowerMeter.objects.get().circuit == other
    lost = says(client, token, "Cellar")
    assert (lost.status_code, lost.json()["code"]) == (404, "labs:unknown-thing")
    assert "it has Bench, Circuit X" in lost.json()["detail"]
    assert PowerMeter.objects.get().circuit == other
    assert not meters.untied(city_lab).exists()


def test_what_measures_a_machine_stays_with_it(city_lab: Lab, client: Client) -> None:
    one, *_others = stand(city_lab)
    made, code = meters.add_meter(lab=city_lab, name="Plug of it", machine=one.pk)
    _device, token = devices.enrol(code=str(code), kind="plug", hardware_id="a")
    refused = says(client, token, "Circuit X")
    assert (refused.status_code, refused.json()["code"]) == (409, "labs:machines-own")
    _own, own_token = enrolled(one)
    assert says(client, own_token, "Circuit X").status_code == 409
    assert PowerMeter.objects.get() == made
    made.refresh_from_db()
    assert (made.machine, made.circuit) == (one, None)
    assert says(client, "lcd_nobody", "Circuit X").status_code == 401
    client.force_login(person())
    assert client.put("/api/v1/device/circuit/", {"circuit": "Circuit X"}, "application/json").status_code in {401, 403}


def test_the_circuits_own_plug_says_what_it_carries(city_lab: Lab, client: Client) -> None:
    """What its machines say together, until a meter of its own is heard; what nobody explains holds up a start."""
    machines = stand(city_lab)
    circuit = machines[0].circuit
    assert circuit is not None
    mine, _token = enrolled(machines[0])
    draws(mine, 120.0)

    def load() -> tuple[float | None, bool]:
        now = timezone.now()
        tiles = board.board(Lab.objects.get(pk=city_lab.pk), viewer=None, now=now)
        [found] = profile.loads(tiles, now)
        return found.watts, found.metered

    assert load() == (120.0, False)
    device, token = plug_of(city_lab)
    says(client, token, "Circuit X")
    assert load() == (120.0, False), "it has said nothing yet"
    draws(device, 700.0)
    assert load() == (700.0, True)
    assert device.pk in live.lab_board(city_lab.slug, None, None).devices
    assert live.of_lab(city_lab)[f"circuit-{circuit.pk}"]["percent"] == 70
    asks = Machine.objects.select_related("circuit").get(pk=machines[1].pk)
    advice = circuits.start_advice(asks)
    assert (advice.may, advice.at, advice.watts) == (False, None, 700.0)
    assert advice.waits_for == ("others on Circuit X",)
    draws(device, 300.0)
    assert circuits.start_advice(asks).may, "300 + 600 W"
    later = timezone.now() + dt.timedelta(minutes=6)
    assert circuits.start_advice(asks, later).watts == 0, "what was said six minutes ago tells nothing of now"


def test_the_page_of_meters_gives_a_code_for_a_plug_whose_agent_will_say(city_lab: Lab, client: Client) -> None:
    stand(city_lab)
    boss, path = person(), f"/labs/{city_lab.slug}/meters/"
    set_role(organisation=city_lab.organisation, user=boss, role="manager")
    client.force_login(boss)
    html = client.post(path, {"name": "Bench plug", "of": "agent"}).content.decode()
    assert "Code for Bench plug" in html
    assert "Tied to nothing yet" in html
    device = meters.untied(city_lab).get()
    assert client.post(path, {"do": "forget", "device": "x"}).status_code == 404
    assert client.post(path, {"do": "forget", "device": device.pk}).status_code == 302
    assert not meters.untied(city_lab).exists()
    assert client.post(path, {"name": " ", "of": "agent"}).status_code == 422


def test_a_person_says_what_a_plug_measures_and_its_agent_does_not_move_it(city_lab: Lab, client: Client) -> None:
    """On the page and over the API, until it is left to the agent again."""
    machines = stand(city_lab)
    one = city_lab.circuits.get(name="Circuit X")
    bench = Circuit.objects.create(lab=city_lab, name="Bench", limit_w=2000)
    device, token = plug_of(city_lab)
    says(client, token, "Circuit X")
    boss, path = person(), f"/labs/{city_lab.slug}/meters/"
    set_role(organisation=city_lab.organisation, user=boss, role="manager")
    client.force_login(boss)
    form = {"do": "tie", "device": str(device.pk), "of": f"circuit:{bench.pk}"}
    assert client.post(path, form).status_code == 302
    meter = PowerMeter.objects.get(device=device)
    assert (meter.circuit, meter.pinned) == (bench, True)
    refused = says(client, token, "Circuit X")
    assert (refused.status_code, refused.json()["code"]) == (409, "labs:pinned")
    assert says(client, token, "bench").status_code == 200, "it says the same"

    api = f"/api/v1/labs/{city_lab.slug}/meters/"
    assert client.put(f"{api}{device.pk}/", {"machine": machines[0].pk}, "application/json").status_code == 204
    assert client.get(api).json() == [
        {"device": str(device.pk), "name": device.name, "machine": machines[0].pk, "circuit": None, "class_pct": 2.0,
         "pinned": True}
    ]  # fmt: skip
    both = client.put(f"{api}{device.pk}/", {"machine": machines[0].pk, "circuit": one.pk}, "application/json")
    assert (both.status_code, both.json()["code"]) == (422, "labs:bad-profile")
    own, _own_token = enrolled(machines[1])
    for wrong in (own.pk, uuid.uuid4()):
        answer = client.put(f"{api}{wrong}/", {"circuit": one.pk}, "application/json")
        assert (answer.status_code, answer.json()["code"]) == (404, "labs:unknown-thing")
    assert client.put(f"{api}{device.pk}/", {}, "application/json").status_code == 204
    assert list(meters.untied(city_lab)) == [device], "no machine's any more; its agent will say"
    assert says(client, token, "Circuit X").status_code == 200


def test_who_may_say_what_a_plug_measures(city_lab: Lab, client: Client) -> None:
    stand(city_lab)
    elsewhere, (device, _token) = lab(), plug_of(city_lab)
    strange, _strange_token = plug_of(elsewhere)
    circuit = city_lab.circuits.get(name="Circuit X")
    boss, visitor = person(), person()
    set_role(organisation=city_lab.organisation, user=boss, role="owner")
    api = f"/api/v1/labs/{city_lab.slug}/meters/"
    for who, reads, ties in ((None, 401, 401), (visitor, 404, 404), (boss, 200, 204)):
        client.logout()
        if who is not None:
            client.force_login(who)
        assert client.get(api).status_code == reads
        assert client.put(f"{api}{device.pk}/", {"circuit": circuit.pk}, "application/json").status_code == ties
    assert client.put(f"{api}{strange.pk}/", {"circuit": circuit.pk}, "application/json").status_code == 404
    assert client.get(f"/api/v1/labs/{elsewhere.slug}/meters/").status_code == 404


def test_a_tied_plug_is_a_machines_meter_on_the_board(city_lab: Lab, client: Client) -> None:
    one, bare, *_others = stand(city_lab)
    made, code = meters.add_meter(lab=city_lab, name="Plug of it", machine=one.pk)
    device, _token = devices.enrol(code=str(code), kind="plug", hardware_id="b")
    tiles = {t.machine.pk: t for t in board.board(city_lab, viewer=None, now=timezone.now())}
    assert (tiles[one.pk].metered, tiles[bare.pk].metered) == (True, False)
    page = client.get(f"/labs/{city_lab.slug}/").content.decode()
    assert (page.count("Nothing heard in the last hour"), "No meter" in page) == (1, True)
    draws(device, 140.0)
    [tile] = [t for t in board.board(city_lab, viewer=None, now=timezone.now()) if t.machine.pk == one.pk]
    assert tile.power.watts == 140.0
    assert made.device_id in live.lab_board(city_lab.slug, None, None).devices
    assert made.device_id in live.machine_board(str(one.pk), None, None).devices
    assert live.of_lab(city_lab)[one.slug]["watts"] == "140\xa0W"
    mine, _own = enrolled(bare)
    draws(mine, 30.0)
    assert live.of_machine(Machine.objects.get(pk=bare.pk))[bare.slug]["watts"] == "30\xa0W"
