"""A lab and where it belongs: asked by its manager, confirmed by the other side; its load then stands in both."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_organisation, set_role
from commons.places.models import Place
from commons.web import numbers
from energy.models import Community, PlannedLoad
from energy.services import outlooks
from labs.errors.ties import NotYourTie, TieClash, UnknownTie
from labs.models import Booking, Lab, LabTie, Machine
from labs.queries import lab_days, standing, ties
from labs.services import bookings, planning
from labs.services import ties as services
from tests.labs.conftest import lab, machine, person
from tests.labs.test_sunshine import HOUR, bearer, job, midnight, neighbourhood
from tests.twin.conftest import Import, town

__all__ = ["town"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def here(db: None) -> Place:
    return Place.objects.create(slug="kamppi", name="Kamppi", timezone="UTC")


@pytest.fixture
def community(here: Place) -> Community:
    return neighbourhood(here).community


@pytest.fixture
def printer(here: Place) -> Machine:
    return machine(lab(place=here, lat=60.1701, lon=24.9441), unattended=True, rated_w=2000, cls="laser-cutter")


def role(of: Lab | Community, name: str) -> User:
    """Somebody with a role in what runs it."""
    if of.organisation is None:
        of.organisation = create_organisation(handle=f"guild-{of.slug}", name="Guild", kind="community")
        of.save(update_fields=["organisation"])
    someone = person()
    set_role(organisation=of.organisation, user=someone, role=name)
    return someone


def signed_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def test_both_sides_say_so_and_then_it_stands(printer: Machine, community: Community) -> None:
    ours, manager, steward = printer.lab, role(printer.lab, "manager"), role(community, "steward")
    for stranger in (person(), role(ours, "member"), steward):
        with pytest.raises(NotYourTie):
            services.ask(lab=ours, kind="community", target="c", by=stranger)
    with pytest.raises(UnknownTie):
        services.ask(lab=ours, kind="community", target="no-such", by=manager)
    with pytest.raises(UnknownTie):
        services.ask(lab=ours, kind="planet", target="c", by=manager)
    tie = services.ask(lab=ours, kind="community", target="c", by=manager)
    assert Notice.objects.get(person=steward).text == f"{ours.name} asks to belong to C."
    with pytest.raises(TieClash):
        services.ask(lab=ours, kind="community", target="c", by=manager)
    assert "Shares the power of" not in Client().get(f"/labs/{ours.slug}/").content.decode()
    with pytest.raises(NotYourTie):
        services.answer(tie=tie, by=manager, accept=True)
    services.answer(tie=tie, by=steward, accept=True)
    assert Notice.objects.get(person=manager).text == f"{ours.name} belongs to C now."
    with pytest.raises(TieClash):
        services.answer(tie=tie, by=steward, accept=False)
    page = Client().get(f"/labs/{ours.slug}/").content.decode()
    assert "Shares the power of" in page and f'href="/energy/{community.slug}/"' in page
    with pytest.raises(NotYourTie):
        services.end(tie=tie, by=person())
    services.end(tie=tie, by=steward)
    assert LabTie.objects.get().state == "ended"
    assert standing.of(ours).apart, "an ended belonging is not made up again from the neighbourhood"


def test_the_load_goes_to_the_community_that_confirmed(printer: Machine, community: Community) -> None:
    """Before a word it counts with its neighbourhood; then where both said so; after a no nowhere."""
    ours = printer.lab
    elsewhere = Community.objects.create(slug="far", name="Far", place=Place.objects.create(slug="t", name="T"))
    manager, steward, far = role(ours, "manager"), role(community, "steward"), role(elsewhere, "steward")
    start = midnight(1) + 10 * HOUR
    bookings.create_booking(machine=printer, user=person(), start=start, end=start + HOUR)
    planning.publish_all()
    assert PlannedLoad.objects.get().community == community
    away = services.ask(lab=ours, kind="community", target="far", by=manager)
    assert PlannedLoad.objects.get().community == community, "asking changes nothing"
    services.answer(tie=away, by=far, accept=True)
    assert PlannedLoad.objects.get().community == elsewhere, "at once, with the answer"
    assert [one.lab for one in standing.of_community(elsewhere)] == [ours]
    assert standing.of_community(community) == []
    back = services.ask(lab=ours, kind="community", target="c", by=manager)
    services.answer(tie=back, by=steward, accept=True)
    assert PlannedLoad.objects.get().community == community
    assert [t.state for t in LabTie.objects.order_by("pk")] == ["ended", "holds"], "the newer word ends the older"
    services.end(tie=back, by=manager)
    planning.publish_all()
    assert not PlannedLoad.objects.exists()
    assert standing.of_community(community) == []


def test_the_day_and_the_days_before(printer: Machine, community: Community) -> None:
    now = timezone.now()
    start = midnight() if now - midnight() > 2 * HOUR else midnight() + 20 * HOUR
    bookings.create_booking(machine=printer, user=person(), start=start, end=start + HOUR, now=midnight(-1))
    job(printer, midnight(-1) + 10 * HOUR, 2.0)
    load = lab_days.of_labs([printer.lab], now)[printer.lab.pk]
    hours = lab_days.today(printer.lab, now)
    assert len(hours) == 24 and hours[start.hour].booked == pytest.approx(load.booked) and load.booked > 0
    assert load.measured is None, "nothing measures, so nothing is said"
    days = lab_days.lately(printer.lab, now)
    assert (days[0].date, days[0].measured, days[0].jobs) == (midnight(-1).date(), pytest.approx(2.0), 1)
    assert all(day.measured is None for day in days[1:])
    outlooks.make(community=community, now=now)
    page = Client().get(f"/energy/{community.slug}/").content.decode()
    assert "Labs here" in page and "booked for today" in page
    shown = Client().get(f"/labs/{printer.lab.slug}/standing/").content.decode()
    assert "Plan against measured" in shown and numbers.kwh(2.0) in shown


def test_what_meters_say_today_is_the_measure(printer: Machine, community: Community) -> None:
    from commons.devices import services as devices
    from tests.labs.conftest import enrolled

    device, _token = enrolled(printer)
    start, now = midnight(-1) + 10 * HOUR, midnight(-1) + 12 * HOUR
    at = [start + n * dt.timedelta(minutes=1) for n in range(16)]
    told = [{"seq": n, "ts": ts.isoformat(), "channel": "power_w", "value": 600.0} for n, ts in enumerate(at, 1)]
    devices.ingest(device=device, readings=told)
    printer.refresh_from_db()
    load = lab_days.of_labs([printer.lab], now)[printer.lab.pk]
    assert load.measured == pytest.approx(0.15, abs=0.02)


def test_in_a_building_of_the_twin(printer: Machine, here: Place, town: Import) -> None:
    town(place=here)
    ours, manager = printer.lab, role(printer.lab, "manager")
    steward = person()
    city = create_organisation(handle="city-hall", name="City", kind="city")
    set_role(organisation=city, user=steward, role="steward")
    side = next(one for one in ties.standpoints(ours, manager, manages=True) if one.side.slug == "building")
    near = side.side.near(ours, manager, "")
    assert [other.target for other in near] == ["town/tower", "town/home"], "the nearest corner first"
    assert [other.title for other in side.side.near(ours, manager, "hom")] == ["Home"]
    with pytest.raises(UnknownTie):
        services.ask(lab=ours, kind="building", target="town/castle", by=manager)
    tie = services.ask(lab=ours, kind="building", target="town/tower", by=manager)
    with pytest.raises(NotYourTie):
        services.answer(tie=tie, by=person(), accept=True)
    services.answer(tie=tie, by=steward, accept=True)
    page = Client().get("/twin/town/buildings/tower/").content.decode()
    assert "Labs in it" in page and ours.name in page
    piece = Client().get("/twin/town/buildings/tower/", headers={"HX-Request": "true"}).content.decode()
    assert ours.name in piece
    assert ours.name not in Client().get("/twin/town/buildings/home/").content.decode()
    from twin.queries import district, live

    [thing] = live.things(district("town")).labs
    assert thing.lon == pytest.approx(24.9441, abs=2e-4) and "as both have said" in thing.known
    assert "Stands in" in Client().get(f"/labs/{ours.slug}/").content.decode()


def test_the_page_asks_confirms_and_refuses(printer: Machine, community: Community) -> None:
    ours, manager, steward = printer.lab, role(printer.lab, "manager"), role(community, "steward")
    address = f"/labs/{ours.slug}/standing/"
    assert Client().get(address).status_code == 200
    assert Client().post(address, {"do": "ask", "kind": "community", "target": "c"}).status_code == 403
    stranger = signed_in(person())
    assert stranger.post(address, {"do": "ask", "kind": "community", "target": "c"}).status_code == 403
    assert stranger.post(address, {"do": "confirm", "tie": "7777777777777777777777"}).status_code == 404
    page = signed_in(manager).get(address).content.decode()
    assert "Ask its stewards" in page and "Until then its bookings count with" in page
    assert signed_in(manager).post(address, {"do": "ask", "kind": "community", "target": "c"}).status_code == 302
    tie = LabTie.objects.get()
    assert "has not answered yet" in signed_in(manager).get(address).content.decode()
    assert "has not answered yet" not in Client().get(address).content.decode(), "a question is between the two"
    assert "asks to belong here" in signed_in(steward).get(f"/energy/{community.slug}/").content.decode()
    assert "asks to belong here" not in Client().get(f"/energy/{community.slug}/").content.decode()
    assert signed_in(manager).post(address, {"do": "confirm", "tie": tie.pk}).status_code == 403
    assert signed_in(steward).post(address, {"do": "confirm", "tie": tie.pk}).status_code == 302
    assert signed_in(steward).post(address, {"do": "confirm", "tie": tie.pk}).status_code == 409
    other = lab("otherlab")
    assert signed_in(steward).post(f"/labs/{other.slug}/standing/", {"do": "end", "tie": tie.pk}).status_code == 404
    assert "both sides have said so" in Client().get(address).content.decode()


def test_over_the_api(printer: Machine, community: Community) -> None:
    ours, manager, steward = printer.lab, role(printer.lab, "manager"), role(community, "steward")
    client = Client()
    told = client.get(f"/api/v1/labs/{ours.slug}/standing/").json()
    assert (told["ties"], told["community"], len(told["hours"])) == ([], "c", 24)
    asked: dict[str, Any] = {"kind": "community", "target": "c"}
    path = f"/api/v1/labs/{ours.slug}/ties/"
    assert client.post(path, asked, content_type="application/json").status_code == 401
    weak = bearer(manager, "bookings:write")
    assert client.post(path, asked, content_type="application/json", headers=weak).status_code == 403
    key = bearer(manager, "labs:manage")
    bad = client.post(path, {"kind": "moon", "target": "c"}, content_type="application/json", headers=key)
    assert bad.status_code == 400
    made = client.post(path, asked, content_type="application/json", headers=key)
    assert made.status_code == 201 and made.json()["state"] == "asked"
    answer = f"/api/v1/lab-ties/{made.json()['id']}/answer/"
    mine = client.post(answer, {"answer": "confirm"}, content_type="application/json", headers=key)
    assert (mine.status_code, mine.json()["code"]) == (403, "labs:not-your-tie")
    theirs = bearer(steward, "labs:manage")
    said = client.post(answer, {"answer": "confirm"}, content_type="application/json", headers=theirs)
    assert (said.status_code, said.json()["state"]) == (200, "holds")
    assert client.get(f"/api/v1/labs/{ours.slug}/standing/").json()["ties"][0]["title"] == "C"


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_are_one(printer: Machine, community: Community) -> None:
    steward = role(community, "steward")
    tie = services.ask(lab=printer.lab, kind="community", target="c", by=role(printer.lab, "manager"))
    said: list[str] = []

    def answer(accept: bool) -> None:
        try:
            said.append(services.answer(tie=tie, by=steward, accept=accept).state)
        except TieClash:
            said.append("clash")
        finally:
            connection.close()

    threads = [threading.Thread(target=answer, args=(nth % 2 == 0,)) for nth in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("clash") == 7 and LabTie.objects.get().state in said
    assert isinstance(Booking.objects.count(), int)
