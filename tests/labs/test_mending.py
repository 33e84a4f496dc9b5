"""Power for who mends a machine that nobody may use: lent by who runs the lab, written down, over by itself."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.errors import NotAllowed
from commons.notices.models import Notice
from commons.people.models import User
from labs.engine import interlocks as engine
from labs.errors.interlocks import BadInterlock, NoPower
from labs.models import Interlock, InterlockCommand, Machine, Mending
from labs.services import bookings, catalogue, interlocks
from tests.labs.conftest import person
from tests.labs.relays import Contacts, ShellyHandler, serving
from tests.labs.test_api import bearer, post
from tests.labs.test_faults import member

HOUR, MINUTE, SECOND = dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(seconds=1)


@pytest.fixture
def boss(printer: Machine) -> User:
    return member(printer.lab, "manager")


@pytest.fixture
def contacts(settings: Any, printer: Machine, boss: User) -> Iterator[Contacts]:
    """The relay of a machine that is in repair and asks for a badge."""
    settings.INTERLOCK_NETWORKS = ["127.0.0.0/8"]
    printer.required_badges.add(catalogue.create_badge(slug="printing", name="Printing"))
    relay = Contacts()
    with serving(ShellyHandler, relay) as url:
        interlocks.set_interlock(machine=printer, by=boss, driver="shelly", url=url)
        catalogue.set_state(machine=printer, state="repair", note="smoke")
        yield relay


def lent(of: Machine, by: User, minutes: int = 60) -> Mending:
    who = member(of.lab)
    return interlocks.let_mend(machine=of, person=who, by=by, minutes=minutes, reason="The fan.")


def test_lent_power_comes_by_an_act_of_the_mender_and_ends(contacts: Contacts, printer: Machine, boss: User) -> None:
    mending = lent(printer, boss)
    interlocks.settle()
    assert not contacts.on  # lending switches nothing on
    assert Notice.objects.get(person=mending.person, kind="labs.mending").url == f"/mending/{mending.pk}/"
    with pytest.raises(NotAllowed):
        interlocks.power_to_mend(mending=mending, by=boss)
    interlocks.power_to_mend(mending=mending, by=mending.person)
    interlocks.settle()
    assert contacts.on
    assert 170 < (contacts.left_s or 0) <= 180
    interlocks.end_mending(mending=mending, by=mending.person)
    interlocks.settle()
    assert (contacts.on, contacts.closings) == (False, 1)
    rows = InterlockCommand.objects.filter(machine=printer).exclude(what="read").order_by("pk")
    assert [(row.what, row.why) for row in rows] == [
        ("set", ""), ("lent", ""), ("wanted", ""), ("on", "mending"), ("ended", ""), ("off", "over"),
    ]  # fmt: skip
    assert {row.booking for row in rows[1:5]} == {mending.pk}
    told = {row.what: row.person for row in rows}
    assert (told["lent"], told["wanted"], told["on"]) == (boss, mending.person, mending.person)
    with pytest.raises(NoPower):
        interlocks.power_to_mend(mending=mending, by=mending.person)


def test_it_expires_by_itself_with_the_relays_own_timer(contacts: Contacts, printer: Machine, boss: User) -> None:
    mending = lent(printer, boss, minutes=5)
    interlocks.power_to_mend(mending=mending, by=mending.person)
    interlocks.settle(now=timezone.now() + 4 * MINUTE)
    assert 12 <= (contacts.left_s or 0) <= 60
    interlocks.settle(now=timezone.now() + 5 * MINUTE + SECOND)
    assert not contacts.on
    assert Interlock.objects.get().asked is None


@pytest.mark.parametrize("what", ["in order", "locked", "account"])
def test_what_ends_it_at_once_and_does_not_bring_it_back(
    what: str, contacts: Contacts, printer: Machine, boss: User
) -> None:
    mending = lent(printer, boss)
    interlocks.power_to_mend(mending=mending, by=mending.person)
    interlocks.settle()
    assert contacts.on
    held = Interlock.objects.get()
    if what == "in order":
        catalogue.set_state(machine=printer, state="ok")
    elif what == "locked":
        interlocks.lock_out(interlock=held, by=boss, reason="smoke")
    else:
        User.objects.filter(pk=mending.person_id).update(is_active=False)
    interlocks.settle()
    assert not contacts.on
    catalogue.set_state(machine=printer, state="repair")
    interlocks.free(interlock=held, by=boss)
    User.objects.update(is_active=True)
    interlocks.settle(now=timezone.now() + 10 * MINUTE)
    assert (contacts.on, contacts.closings) == (False, 1)


def test_only_while_the_machine_is_down_and_only_for_its_people(
    contacts: Contacts, printer: Machine, boss: User
) -> None:
    catalogue.set_state(machine=printer, state="ok")
    facts: dict[str, Any] = {"machine": printer, "by": boss, "minutes": 30, "reason": "The fan."}
    who = member(printer.lab)
    with pytest.raises(NoPower, match="out of use first"):
        interlocks.let_mend(person=who, **facts)
    now = timezone.now()
    bookings.close_machine(machine=printer, start=now - SECOND, end=now + HOUR, by=boss)
    interlocks.let_mend(person=who, **facts)
    with pytest.raises(NotAllowed):
        interlocks.let_mend(person=person(), **facts)
    for wrong in ({"minutes": 481}, {"minutes": 0}, {"reason": " "}):
        with pytest.raises(BadInterlock):
            interlocks.let_mend(person=who, **{**facts, **wrong})


def test_whoever_books_gets_no_power_by_it(contacts: Contacts, printer: Machine, boss: User) -> None:
    """What was lent to mend is the mender's alone: a booking of somebody else is judged as ever."""
    mending = lent(printer, boss)
    interlocks.power_to_mend(mending=mending, by=mending.person)
    held = Interlock.objects.get()
    held.asked = None
    held.save()
    interlocks.settle()
    assert not contacts.on


def test_mending_in_the_engine() -> None:
    now = timezone.now()
    good = engine.Facts(mending=True, down=True, ends=now + HOUR)
    assert engine.wish(good, now) == engine.Wish(True, "mending", now + HOUR)
    for change, why in (
        ({"down": False}, "not-mending"), ({"locked": True}, "locked"), ({"active": False}, "account-closed"),
        ({"in_use": False}, "not-in-use"), ({"ends": now}, "over"), ({"ends": None}, "over"),
    ):  # fmt: skip
        facts = engine.Facts(**{"mending": True, "down": True, "ends": now + HOUR, **change})  # type: ignore[arg-type]
        assert engine.wish(facts, now) == engine.Wish(False, why)  # type: ignore[arg-type]


def test_pages_and_api_by_role(client: Client, contacts: Contacts, printer: Machine, boss: User) -> None:
    who, trainer, stranger = member(printer.lab), member(printer.lab, "trainer"), person()
    desk, api = (
        f"/labs/{printer.lab.slug}/interlocks/{printer.slug}/",
        f"/api/v1/machines/{printer.pk}/interlock/mending/",
    )
    fields = {"person": who.username, "minutes": "30", "reason": "The fan."}
    client.force_login(boss)
    assert "Let them mend it" in client.get(desk).content.decode()
    assert client.post(desk, {"do": "lend", **fields, "person": "nobody"}).status_code == 422
    assert client.post(desk, {"do": "lend", **fields}).status_code == 302
    mending = Mending.objects.get()
    page = f"/mending/{mending.pk}/"
    for someone, status in ((None, 302), (stranger, 404), (trainer, 404), (who, 200), (boss, 200)):
        client.logout()
        if someone is not None:
            client.force_login(someone)
        assert client.get(page).status_code == status
    assert "Power on<" not in client.get(page).content.decode()
    assert client.post(page, {"do": "on"}).status_code == 403
    client.force_login(who)
    assert "Power on<" in client.get(page).content.decode()
    assert client.post(page, {"do": "on"}).status_code == 302
    assert Interlock.objects.get().asked == mending.pk
    assert client.post(page, {"do": "end"}).status_code == 302
    assert client.post(page, {"do": "on"}).status_code == 409
    client.logout()
    for someone, status in ((stranger, 404), (who, 404), (trainer, 404), (boss, 201)):
        assert post(client, api, fields, **bearer(someone, "labs:manage")).status_code == status
    key = Mending.objects.get(ended_at=None).pk
    listed = client.get(api, headers=bearer(boss, "labs:manage")).json()["results"]
    assert [row["id"] for row in listed] == [str(key)]
    one = f"/api/v1/mending/{key}/"
    assert post(client, one, {}, **bearer(stranger, "bookings:write")).status_code == 404
    assert post(client, one, {}, **bearer(boss, "bookings:write")).status_code == 403
    assert post(client, one, {}, **bearer(who, "bookings:write")).status_code == 202
    assert client.delete(one, headers=bearer(boss, "bookings:write")).json()["ended_at"]
    client.force_login(boss)
    post(client, api, fields, **bearer(boss, "labs:manage"))
    row = Mending.objects.get(ended_at=None)
    assert client.post(desk, {"do": "take-back", "mending": str(row.pk)}).status_code == 302
    assert not Mending.objects.filter(ended_at=None).exists()
