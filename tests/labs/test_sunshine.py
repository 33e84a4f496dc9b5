"""Sunshine becomes slots: outlook, suggestions, flexible bookings, reward, planned load, and what came of a day."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from commons.decisions.services import set_value
from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_token
from commons.places.models import Place
from energy import series
from energy.models import Community, CommunityVersion, Member, Outlook, PlannedLoad, VersionSeries
from energy.queries import outlook_of, outlook_of_place
from energy.services import outlooks
from labs.engine.hours import Span
from labs.engine.prices import Rates
from labs.errors import Overlap
from labs.errors.sunshine import BadWish, FixedAlready, NoTimeBefore
from labs.models import (
    Booking,
    BookingPlan,
    EnergyFigure,
    FirstAsked,
    FlexibleBooking,
    FlexibleMove,
    Job,
    Lab,
    Machine,
    PowerProfile,
    SunDay,
)
from labs.queries import drawing, prices, standing, sun, sunshine
from labs.services import bookings, flexible, planning, tills
from labs.services import sunshine as services
from tests.energy.ledger import published
from tests.labs.conftest import lab, machine, person

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
UTC = dt.UTC


def midnight(days: int = 0) -> dt.datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + days * DAY


def neighbourhood(place: Place, *, spare_kw: float = 4.0, hours: tuple[int, int] = (10, 14)) -> CommunityVersion:
    """The last 28 days: 1 kW is used, and made at some hours of the day so that this much is spare."""
    made = Community.objects.create(slug="c", name="C", place=place)
    days = 28
    load = [1.0] * (24 * days)
    pv = [1.0 + spare_kw if hours[0] <= n % 24 < hours[1] else 0.0 for n in range(24 * days)]
    version = CommunityVersion.objects.create(
        community=made, number=1, content_sha256="f" * 64, currency="EUR", timezone="UTC", start=midnight(-days),
        step_minutes=60, steps=24 * days, load_kwh=sum(load), pv_kwh=sum(pv),
    )  # fmt: skip
    curves = {"load": load, "pv": pv, "cells": [float(n) for n in range(24 * days)]}
    VersionSeries.objects.bulk_create(
        VersionSeries(version=version, name=name, packed=series.pack(values)) for name, values in curves.items()
    )
    published(version)
    return version


@pytest.fixture
def sunny(db: None) -> Machine:
    """A printer in a lab that is always open, where four hours of the day have 4 kW to spare."""
    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="UTC")
    version = neighbourhood(place)
    printer = machine(lab(place=place), unattended=True, rated_w=2000, cls="laser-cutter")
    assert outlooks.make(community=version.community, now=timezone.now())
    return printer


def at_noon(days: int) -> dt.datetime:
    return midnight(days) + 10 * HOUR


def bearer(user: User, *scopes: str) -> dict[str, str]:
    return {"authorization": f"Bearer {create_token(user=user, name='t', scopes=list(scopes))[1]}"}


def wish(of: Machine, days: int = 3, hours: float = 2, **more: Any) -> FlexibleBooking:
    facts: dict[str, Any] = {"user": person(), "deadline": midnight(days), "length": hours * HOUR, **more}
    return flexible.create(machine=of, **facts)


# --- the outlook -------------------------------------------------------------------------------------------------


def test_the_outlook_is_kept_read_and_made_anew_only_when_it_changed(sunny: Machine) -> None:
    place = sunny.lab.place
    assert place is not None
    ahead = outlook_of_place(place)
    assert ahead is not None
    assert ahead.start == midnight() and len(ahead.middle) == 9 * 24
    assert [round(v, 6) for v in ahead.middle[8:16]] == [-1, -1, 4, 4, 4, 4, -1, -1]
    assert ahead.basis_at(at_noon(1)) == "lately"
    assert ahead.shares(8.0)[10].expected == pytest.approx(0.5)
    assert not outlooks.make(community=ahead.community, now=timezone.now()), "nothing has changed"
    suns = sun.outlook(place, midnight(1), midnight(2), 8.0)
    assert (len(suns), suns[10].share, suns[10].basis) == (24, pytest.approx(0.5), "lately")


def test_a_plan_takes_its_part_of_what_is_spare_and_stands_for_the_members_usual_use(sunny: Machine) -> None:
    version = CommunityVersion.objects.get()
    Member.objects.create(
        version=version, position=0, key="lab", name=sunny.lab.name, kind="lab", load_kwh=1, pv_kwh=0,
        load=series.pack([0.5 if n % 24 == 12 else 0.1 for n in range(24 * 28)]), pv=series.pack([0.0] * 24 * 28),
    )  # fmt: skip
    assert standing.of(sunny.lab).member is not None
    bookings.create_booking(machine=sunny, user=person(), start=at_noon(1), end=at_noon(1) + HOUR)
    kwh = drawing.profiles([sunny])[sunny.pk].kwh(HOUR)
    assert planning.publish_all() == [version.community_id]
    assert planning.publish_all() == [], "nothing new"
    outlooks.make(community=version.community, now=timezone.now())
    ahead, row = outlook_of(version.community), PlannedLoad.objects.get()
    assert ahead is not None
    assert (row.source, row.bookings, row.member) == (f"labs:{sunny.lab.slug}", 1, "lab")
    assert ahead.planned[24 + 10] == pytest.approx(kwh)
    assert ahead.middle[24 + 10] == pytest.approx(4.0 - kwh)
    assert ahead.middle[24 + 12] == pytest.approx(4.4), "what the lab usually uses beyond its least is left out"
    [now] = standing.live(version.community.place) if version.community.place else []
    assert (now.lab, now.machines, now.watts) == (sunny.lab, 1, None)


# --- flexible bookings -------------------------------------------------------------------------------------------


def test_a_wish_is_placed_in_the_sun_and_never_past_its_deadline(sunny: Machine) -> None:
    one = wish(sunny, hours=4)
    booking = one.booking
    assert (booking.start.hour, booking.length, booking.status) == (10, 4 * HOUR, Booking.Status.BOOKED)
    assert booking.end <= one.deadline and one.share == pytest.approx(1.0)
    assert [m.why for m in one.moves.all()] == ["placed"] and one.first_start < timezone.now() + DAY
    two = wish(sunny, hours=4)
    assert two.booking.start != booking.start and two.booking.start.hour == 10
    with pytest.raises(BadWish):
        wish(sunny, hours=4, deadline=timezone.now() + HOUR)
    night = wish(sunny, hours=2, from_min=0, until_min=6 * 60)
    assert night.booking.end.hour * 60 <= 360
    with pytest.raises(NoTimeBefore) as refusal:
        Booking.objects.all().delete()
        bookings.close_machine(machine=sunny, start=timezone.now(), end=midnight(4), by=person())
        wish(sunny)
    assert refusal.value.data["next_free"]["start"] >= midnight(4).isoformat()


def test_it_moves_to_a_better_place_once_and_its_person_hears_and_may_take_it_back(sunny: Machine) -> None:
    holders = [
        bookings.create_booking(machine=sunny, user=person(), start=at_noon(n), end=at_noon(n) + 4 * HOUR)
        for n in (1, 2)
        if at_noon(n) > timezone.now()
    ]
    user = person()
    one = wish(sunny, days=3, hours=2, earliest=midnight(1), user=user, fix_before_min=60)
    assert one.is_open and one.booking.start.hour not in range(9, 14)
    before = one.booking.start
    assert flexible.sweep(timezone.now()) == {"fixed": 0, "moved": 0}
    bookings.cancel_booking(booking=holders[-1])
    assert flexible.sweep(timezone.now()) == {"fixed": 0, "moved": 1}
    assert flexible.sweep(timezone.now()) == {"fixed": 0, "moved": 0}, "twice is once"
    one.refresh_from_db()
    assert (one.booking.start, one.placed_start) == (at_noon(2), at_noon(2)) and one.share == pytest.approx(1.0)
    last = one.moves.last()
    assert last is not None and (last.number, last.left_start, last.why) == (2, before, "sun")
    notice = Notice.objects.get(person=user)
    assert (notice.kind, "Moved to the sun" in notice.text) == ("labs.flexible", True)
    with pytest.raises(DatabaseError), transaction.atomic():
        FlexibleMove.objects.update(number=7)
    flexible.take_back(flexible=one, by=user)
    one.refresh_from_db()
    assert (one.booking.start, one.status, one.fixed_why, one.moves.count()) == (before, "fixed", "kept", 3)
    with pytest.raises(FixedAlready):
        flexible.keep(flexible=one, by=user)
    assert flexible.sweep(timezone.now()) == {"fixed": 0, "moved": 0}


def test_what_is_near_is_fixed_and_what_a_person_moves_is_theirs(sunny: Machine) -> None:
    one, two, three = (wish(sunny, days=4, hours=1, earliest=midnight(2)) for _ in range(3))
    assert flexible.consider(one, now=one.booking.start - 11 * HOUR) == "fixed"
    one.refresh_from_db()
    assert (one.fixed_why, Notice.objects.get(person=one.user).kind) == ("clock", "labs.flexible")
    bookings.move_booking(booking=two.booking, start=midnight(6), end=midnight(6) + HOUR, by=two.user)
    two.refresh_from_db()
    assert (two.status, two.fixed_why) == ("fixed", "moved")
    bookings.cancel_booking(booking=three.booking, by=three.user)
    three.refresh_from_db()
    assert (three.status, three.fixed_why) == ("ended", "gone")


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_keeps_the_deadline() -> None:
    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="UTC")
    one = wish(machine(lab(place=place), unattended=True), days=5, earliest=midnight(3))
    with pytest.raises(DatabaseError, match="within what was wished"), transaction.atomic():
        late = one.deadline - HOUR
        Booking.objects.filter(pk=one.booking_id).update(
            start=late, end=late + 2 * HOUR, blocked=(late, late + 2 * HOUR)
        )


def test_a_suggestion_over_the_api_and_who_may_see_a_flexible_booking(sunny: Machine, client: Client) -> None:
    path = f"/api/v1/machines/{sunny.pk}/best-slots/"
    found = client.get(path, {"hours": "2", "watts": "8000", "before": midnight(3).isoformat()}).json()
    assert [s["solar_share"] for s in found["results"]] == [0.5] * len(found["results"]) != []
    assert set(found["results"][0]) >= {"start", "end", "solar_share", "solar_share_low", "solar_share_high", "basis"}
    for bad in ({}, {"hours": "0"}, {"hours": "2", "watts": "-1"}, {"hours": "2", "before": "soon"}):
        assert client.get(path, bad).status_code == 400
    told = client.get("/api/v1/communities/c/outlook/").json()
    assert (told["middle_kw"][10], told["basis"][midnight().date().isoformat()]) == (4.0, "lately")
    assert client.get(f"/api/v1/labs/{sunny.lab.slug}/live/").json()["machines"] == 1
    assert client.get(f"/api/v1/labs/{sunny.lab.slug}/sun-days/").json()["results"] == []
    slots = client.get(f"/api/v1/machines/{sunny.pk}/availability/").json()["slots"]
    assert all(s["solar_share_low"] <= s["solar_share"] <= s["solar_share_high"] for s in slots)

    user, stranger = person(), person()
    body = {"machine": sunny.pk, "hours": 2, "deadline": midnight(3).isoformat()}
    every = "/api/v1/flexible-bookings/"
    assert client.post(every, body, "application/json").status_code == 401
    made = client.post(every, body, "application/json", headers=bearer(user, "bookings:write"))
    assert made.status_code == 201, made.content
    one = f"{every}{made.json()['id']}/"
    mine, theirs = bearer(user, "bookings:read", "bookings:write"), bearer(stranger, "bookings:read", "bookings:write")
    assert client.get(one, headers=mine).json()["booking"] == made.json()["booking"]
    assert [len(client.get(every, headers=h).json()["results"]) for h in (mine, theirs)] == [1, 0]
    for method, where in (("get", one), ("delete", one), ("post", f"{one}keep/"), ("post", f"{one}take-back/")):
        assert getattr(client, method)(where, headers=theirs).status_code == 404, where
    again = client.post(f"{one}take-back/", headers=mine)
    assert (again.status_code, again.json()["code"]) == (409, "flexible:fixed")
    if made.json()["status"] == "open":
        assert client.post(f"{one}keep/", headers=mine).json()["status"] == "fixed"
    assert client.delete(one, headers=mine).status_code == 204
    assert Booking.objects.get().status == Booking.Status.CANCELLED


def test_pages_show_the_sun_in_words_and_take_a_wish(sunny: Machine, client: Client) -> None:
    user, slug = person(), sunny.lab.slug
    page = client.get(f"/labs/{slug}/{sunny.slug}/book/").content.decode()
    assert "of the last four weeks" in page and "between" in page
    address = f"/labs/{slug}/{sunny.slug}/book/flexible/"
    assert client.get(address).status_code == 302
    client.force_login(user)
    assert "Place it in the sun" in client.get(address).content.decode()
    typed = {"hours": "2", "day": midnight(3).date().isoformat(), "at": "12:00", "fix": "720"}
    assert client.post(address, {**typed, "hours": "-1"}).status_code == 400
    said = client.post(address, typed)
    one = FlexibleBooking.objects.get()
    assert said.status_code == 302 and said["location"].endswith(f"/b/{one.booking_id}/")
    shown = client.get(said["location"]).content.decode()
    assert "Expected local sun" in shown
    week = client.get(f"/labs/{slug}/week/?view=week").content.decode()
    assert "Sun to spare in words" in week
    for what in ("keep", "take-back"):
        address = f"/b/{one.booking_id}/{what}/"
        client.force_login(person())
        assert client.post(address).status_code == 404
        client.force_login(user)
        assert client.post(address).status_code in {302, 409}
    pages = (f"/labs/{slug}/sun/", f"/labs/{slug}/", f"/labs/{slug}/{sunny.slug}/", "/energy/c/", "/energy/c/forecast/")
    for where in pages:
        assert client.get(where).status_code == 200, where
    assert sunny.lab.name in client.get("/energy/c/").content.decode()


# --- the reward --------------------------------------------------------------------------------------------------


def test_what_members_decided_is_in_the_quote_and_in_the_charge(sunny: Machine) -> None:
    tills.set_till(lab=sunny.lab, mode="money", currency="EUR", credit=Decimal(100))
    tills.set_tariff(lab=sunny.lab, rates=Rates(per_hour=Decimal(10)), by=None)
    user, noon, night = person(), Span(at_noon(1), at_noon(1) + HOUR), Span(midnight(1), midnight(1) + HOUR)
    assert prices.price_of(sunny, user, noon).gross == Decimal("10.00"), "none is set"
    value = {"discount_percent": 20, "above_surplus_share": 0.5}
    set_value(kind="labs.surplus_price", scope=f"labs.lab:{sunny.lab.slug}", value=value, valid_from=midnight())
    quoted = prices.price_of(sunny, user, noon)
    assert (quoted.gross, quoted.discount_pct, prices.price_of(sunny, user, night).gross) == (8, 20, 10)
    assert "20 % less" in quoted.words
    booking = bookings.create_booking(machine=sunny, user=user, start=noon.start, end=noon.end)
    assert sum(-e.amount for e in _entries(booking)) == Decimal(8)
    set_value(
        kind="labs.surplus_price", scope=f"labs.lab:{sunny.lab.slug}", value={"discount_percent": 90},
        valid_from=midnight() + dt.timedelta(microseconds=1),
    )  # fmt: skip
    assert prices.price_of(sunny, user, noon).gross == Decimal(10), "what is beyond the limit is no reward"


def _entries(booking: Booking) -> list[Any]:
    from labs.models import Entry

    return list(Entry.objects.filter(posting__booking=booking, account__kind="wallet"))


# --- what came of it ---------------------------------------------------------------------------------------------


def job(of: Machine, start: dt.datetime, kwh: float, hours: float = 1, booking: Booking | None = None) -> Job:
    """A finished job with a settled figure that is all making."""
    end = start + hours * HOUR
    made = Job.objects.create(
        machine=of, booking=booking, started_at=start, finished_at=end, outcome=Job.Outcome.FINISHED,
        energy_kwh=kwh, energy_quality=Job.Quality.MEASURED, device=of.device or enrolled_device(of),
        device_job=f"{start.isoformat()}{kwh}",
    )  # fmt: skip
    ms = [int(t.timestamp() * 1000) for t in (start, end)]
    EnergyFigure.objects.create(
        job=made, number=1, quality="measured", coverage=1, kwh=kwh, warm_kwh=0, making_kwh=kwh, idle_kwh=0,
        pm_kwh=0, phases=[["making", *ms, kwh * 1000]], sha256="0" * 64,
    )  # fmt: skip
    return made


def enrolled_device(of: Machine) -> Any:
    from tests.labs.conftest import enrolled

    device, _token = enrolled(of)
    return device


def test_after_a_day_the_lab_knows_what_the_sun_gave_and_what_it_would_have_had(sunny: Machine) -> None:
    """A job of 2 kWh in the sun that was first asked for at night, and one of 6 kWh in an hour with 4 to spare."""
    yesterday = at_noon(-1)
    user = person()
    booking = bookings.create_booking(
        machine=sunny, user=user, start=at_noon(-1), end=at_noon(-1) + HOUR, now=midnight(-2)
    )
    FirstAsked.objects.create(booking=booking, start=midnight(-1) + 3 * HOUR)
    job(sunny, yesterday, 2.0, booking=booking)
    job(sunny, yesterday + 2 * HOUR, 6.0)
    assert services.settle_day(sunny.lab, yesterday.date())
    assert not services.settle_day(sunny.lab, yesterday.date()), "twice is once"
    day = SunDay.objects.get()
    assert (day.jobs, day.moved, day.kwh, day.sun_kwh, day.first_sun_kwh) == (2, 1, 8.0, 6.0, 4.0)
    assert (day.share, day.first_share, day.exact, day.number) == (0.75, 0.5, True, 1)
    assert services.settle_due(timezone.now()) == 0
    came = sunshine.came(sunny.lab, midnight(-30).date())
    assert came is not None and came.share == 0.75


def test_measured_jobs_teach_the_profile_and_take_the_place_of_the_plan(sunny: Machine) -> None:
    table = drawing.profiles([sunny])[sunny.pk]
    start = midnight() if timezone.now() - midnight() > 2 * HOUR else midnight(-1)
    for nth in range(5):
        job(sunny, start - (nth + 1) * DAY, 0.3)
    assert planning.learn(timezone.now()) == 2, "the class's and the machine's own"
    assert planning.learn(timezone.now()) == 0
    own = PowerProfile.objects.get(machine=sunny)
    assert (own.jobs, own.miss is not None) == (5, True)
    learned = drawing.profiles([sunny])[sunny.pk]
    assert 300 < learned.making_w < table.making_w
    booking = bookings.create_booking(machine=sunny, user=person(), start=start, end=start + HOUR, now=start - DAY)
    if start < midnight():
        return
    assert planning.note_plans(timezone.now()) == 1 and planning.note_plans(timezone.now()) == 0
    plan = BookingPlan.objects.get()
    assert (plan.profile, plan.planned_kwh) == (own, pytest.approx(learned.kwh(HOUR)))
    assert sum(planning.plan_of(sunny.lab, timezone.now()).kwh) == pytest.approx(plan.planned_kwh)
    job(sunny, start, 0.25, booking=booking)
    assert planning.note_measured(timezone.now()) == 1
    plan.refresh_from_db()
    assert plan.measured_kwh == 0.25
    assert sum(planning.plan_of(sunny.lab, timezone.now()).kwh) == pytest.approx(0.25)


def test_a_round_and_a_time_that_was_taken_meanwhile(sunny: Machine) -> None:
    one = wish(sunny, days=3, hours=2, earliest=midnight(1))
    assert services.round_()["moved"] == 0
    with pytest.raises(Overlap):
        bookings.create_booking(machine=sunny, user=person(), start=one.booking.start, end=one.booking.end)
    assert Outlook.objects.get().number >= 2, "the booking is in the outlook"
    assert json.dumps(standing.live(sunny.lab.place)[0].document()) if sunny.lab.place else True
    assert isinstance(sunny.lab, Lab) and connection.vendor == "postgresql"
