"""An order from asking to handing over, and what each side, and nobody else, may do with it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import Membership, User
from commons.people.services import set_role
from designs.models import Release
from labs.errors.orders import NotOrderable, NotYourStep, WrongStep
from labs.models import Booking, BookingRule, Lab, Machine, MakeOrder
from labs.queries import jobs as job_queries
from labs.queries import orders as queries
from labs.services import bookings as booking_services
from labs.services import catalogue, orders
from labs.services import jobs as job_services
from tests.labs.conftest import design, enrolled, lab, machine, person, tomorrow

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
API = "/api/v1/orders/"


def released(owner: User, **more: Any) -> Release:
    made = design(owner, b"solid part", facts={"extents_mm": [20, 20, 20], "watertight": True}, **more)
    return Release.objects.create(
        design=made.design, version="1.0", commit=made.commit, licence=made.design.licence, created_by=owner
    )


@pytest.fixture
def maker(city_lab: Lab) -> User:
    found = person()
    set_role(organisation=city_lab.organisation, user=found, role=Membership.Role.MANAGER)
    return found


def ordered(of: Lab, **more: Any) -> MakeOrder:
    return orders.ask(person=more.pop("by", None) or person(), lab=of, release=released(person()), **more)


def quoted(order: MakeOrder, maker: User) -> MakeOrder:
    return orders.quote(
        order=order, by=maker, hours=Decimal("2.5"), price=Decimal("12.00"), currency="EUR", until=None, text="Soon."
    )


def test_from_asking_to_handing_over(printer: Machine, maker: User) -> None:
    asker = person()
    order = ordered(printer.lab, by=asker, quantity=3, material="PLA", deadline=timezone.now().date() + 9 * 24 * HOUR)
    assert Notice.objects.filter(person=maker, kind="labs.order").exists()
    quoted(order, maker)
    assert Notice.objects.filter(person=asker, kind="labs.order").count() == 1
    orders.step(order=order, by=asker, do="accept")
    start = tomorrow()
    booking = orders.book(order=order, by=maker, machine=printer, start=start, end=start + HOUR)
    order.refresh_from_db()
    assert (order.status, booking.design, queries.load_h(printer.lab)) == ("queued", order.design, Decimal("2.50"))
    device, _token = enrolled(printer)
    begun, over = timezone.now() - HOUR, timezone.now() + HOUR
    Booking.objects.filter(pk=booking.pk).update(start=begun, end=over, blocked=(begun, over))
    told = {"seq": 1, "ts": timezone.now().isoformat(), "event": "started", "job": "one"}
    job_services.take_events(device=device, events=[told])
    order.refresh_from_db()
    assert order.status == "making"
    job = queries.jobs_of(order).get()
    close, far = (job_queries.shown([job_queries.find(job.pk)], who)[0].close for who in (asker, person()))
    assert (close, far) == (True, False)  # what was made for a person is theirs to see
    orders.step(order=order, by=maker, do="ready")
    orders.step(order=order, by=maker, do="hand-over", text="Thank you.")
    order.refresh_from_db()
    assert order.status == "handed-over"
    assert [e.status for e in order.events.all()] == [
        "asked", "quoted", "accepted", "queued", "making", "ready", "handed-over",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "side", "can"),
    [
        ("asked", "lab", {"quote", "decline"}),
        ("asked", "person", {"withdraw"}),
        ("quoted", "lab", {"quote", "decline"}),
        ("quoted", "person", {"accept", "withdraw"}),
        ("accepted", "lab", {"queue", "start", "ready", "decline"}),
        ("accepted", "person", {"withdraw"}),
        ("making", "lab", {"ready"}),
        ("making", "person", set()),
        ("ready", "lab", {"hand-over"}),
        ("handed-over", "lab", set()),
        ("declined", "person", set()),
        ("expired", "lab", set()),
    ],
)
def test_which_step_whose(city_lab: Lab, maker: User, state: str, side: str, can: set[str]) -> None:
    asker = person()
    order = ordered(city_lab, by=asker)
    MakeOrder.objects.filter(pk=order.pk).update(status=state)
    order.refresh_from_db()
    who = maker if side == "lab" else asker
    assert {step for step in queries.STEPS if queries.sides(order, who).may(order, step)} == can
    for step in set(queries.STEPS) - can - {"quote"}:
        with pytest.raises((NotYourStep, WrongStep)):
            orders.step(order=order, by=who, do=step)
    order.refresh_from_db()
    assert order.status == state


def test_taking_it_back_frees_the_machine(printer: Machine, maker: User) -> None:
    asker = person()
    order = ordered(printer.lab, by=asker)
    quoted(order, maker)
    orders.step(order=order, by=asker, do="accept")
    booking = orders.book(order=order, by=maker, machine=printer, start=tomorrow(), end=tomorrow() + HOUR)
    orders.step(order=order, by=asker, do="withdraw")
    booking.refresh_from_db()
    assert booking.status == "cancelled"
    booking_services.create_booking(machine=printer, user=person(), start=tomorrow(), end=tomorrow() + HOUR)


def test_what_cannot_be_ordered(city_lab: Lab, maker: User) -> None:
    release = released(person(), public=False)
    with pytest.raises(NotOrderable, match="public"):
        orders.ask(person=person(), lab=city_lab, release=release)
    with pytest.raises(NotOrderable, match="past"):
        ordered(city_lab, deadline=dt.date(2020, 1, 1))
    with pytest.raises(NotOrderable, match="pieces"):
        ordered(city_lab, quantity=0)
    Lab.objects.filter(pk=city_lab.pk).update(takes_orders=False)
    city_lab.refresh_from_db()
    with pytest.raises(NotOrderable, match="takes no orders"):
        ordered(city_lab)
    assert not MakeOrder.objects.exists()


def test_quotes_run_out(city_lab: Lab, maker: User) -> None:
    order, fresh = ordered(city_lab), ordered(city_lab)
    quoted(order, maker)
    now = timezone.now()
    assert orders.expire(now=now + dt.timedelta(days=13)) == 0
    assert orders.expire(now=now + dt.timedelta(days=16)) == 1
    order.refresh_from_db()
    assert order.status == "expired"
    assert orders.expire(now=now + dt.timedelta(days=61)) == 1
    fresh.refresh_from_db()
    assert fresh.status == "expired"


def test_the_queue_is_by_deadline(city_lab: Lab, maker: User, client: Client) -> None:
    today = timezone.now().date()
    late, soon, any_day = (
        ordered(city_lab, deadline=day) for day in (today + 9 * 24 * HOUR, today + 2 * 24 * HOUR, None)
    )
    assert list(queries.queue(city_lab)) == [soon, late, any_day]
    client.force_login(maker)
    html = client.get(f"/labs/{city_lab.slug}/orders/").content.decode()
    assert html.index(str(soon.pk)) < html.index(str(late.pk)) < html.index(str(any_day.pk))


def test_who_sees_an_order(city_lab: Lab, maker: User, client: Client) -> None:
    asker, member, stranger = person(), person(), person()
    set_role(organisation=city_lab.organisation, user=member, role=Membership.Role.MEMBER)
    order = ordered(city_lab, by=asker)
    address, queue = f"/me/orders/{order.pk}/", f"/labs/{city_lab.slug}/orders/"
    for who, page, desk, api, step in (
        (None, 302, 302, 401, 401),
        (stranger, 404, 404, 404, 404),
        (member, 404, 404, 404, 404),
        (asker, 200, 404, 200, 403),
        (maker, 200, 200, 200, 200),
    ):
        client.logout()
        if who:
            client.force_login(who)
        assert client.get(address).status_code == page, who
        assert client.get(queue).status_code == desk, who
        assert client.get(f"{API}{order.pk}/").status_code == api, who
        told = {"hours": "1", "price": "0"}
        answer = client.post(f"{API}{order.pk}/quote/", told, content_type="application/json")
        assert answer.status_code == step, (who, answer.content)


def test_order_by_page_and_by_api(printer: Machine, maker: User, client: Client) -> None:
    asker = person()
    release = released(person())
    name = f"{release.design.owner.name}/{release.design.slug}"
    client.force_login(asker)
    path = f"/make/{name}/order/"
    html = client.get(path).content.decode()
    assert printer.lab.name in html
    assert release.licence in html
    sent = {"version": "1.0", "lab": printer.lab.slug, "quantity": "2", "note": "Blue, please."}
    answer = client.post(path, sent)
    assert answer.status_code == 302, answer.content
    order = MakeOrder.objects.get()
    assert (order.quantity, order.note, order.commit) == (2, "Blue, please.", release.commit)
    page = client.get(answer["Location"]).content.decode()
    assert "Blue, please." in page
    assert order.design_name in client.get("/me/orders/").content.decode()
    told = {"design": name, "version": "1.0", "lab": printer.lab.slug}
    made = client.post(API, told, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["licence"] == release.licence
    missing = client.post(API, told | {"version": "9"}, content_type="application/json")
    assert (missing.status_code, missing.json()["code"]) == (422, "orders:not-orderable")
    client.force_login(maker)
    client.post(f"/me/orders/{order.pk}/", {"do": "quote", "hours": "3", "price": "10", "currency": "EUR"})
    order.refresh_from_db()
    assert (order.status, order.price) == ("quoted", Decimal("10.00"))
    start = tomorrow().astimezone(printer.lab.zone)
    late = {"do": "book", "machine": printer.pk, "start": f"{start:%Y-%m-%dT%H:%M}", "hours": "1"}
    assert client.post(f"/me/orders/{order.pk}/", late).status_code == 409
    orders.step(order=order, by=asker, do="accept")
    assert client.post(f"/me/orders/{order.pk}/", late).status_code == 302
    assert order.order_bookings.get().booking.start == tomorrow()


def test_a_booking_that_the_rules_refuse_is_told_with_its_sentence(
    printer: Machine, maker: User, client: Client
) -> None:
    asker = person()
    order = ordered(printer.lab, by=asker)
    quoted(order, maker)
    orders.step(order=order, by=asker, do="accept")
    local = tomorrow().astimezone(printer.lab.zone)
    page = {"do": "book", "machine": printer.pk, "start": f"{local:%Y-%m-%dT%H:%M}", "hours": "2"}
    api = {"machine": printer.pk, "start": tomorrow().isoformat(), "end": (tomorrow() + 2 * HOUR).isoformat()}
    client.force_login(maker)

    def both() -> tuple[int, str, int, dict[str, Any]]:
        seen = client.post(f"/me/orders/{order.pk}/", page)
        told = client.post(f"{API}{order.pk}/book/", api, content_type="application/json")
        return seen.status_code, seen.content.decode(), told.status_code, told.json()

    BookingRule.objects.create(lab=printer.lab, name="longest_h", value="1")
    status, html, code, answer = both()
    assert (status, code, answer["code"]) == (422, 422, "booking:bad-time")
    assert "can be booked for at most" in answer["detail"]
    assert "can be booked for at most" in html
    assert answer["next_allowed"] is None or answer["next_allowed"]["start"]
    BookingRule.objects.all().delete()
    printer.required_badges.add(catalogue.create_badge(slug="printing", name="3D printing"))
    status, html, code, answer = both()
    assert (status, code, answer["missing"]) == (403, 403, [{"slug": "printing", "name": "3D printing"}])
    assert "3D printing" in html.split("Nothing was changed.")[0]
    printer.required_badges.clear()
    booking_services.create_booking(machine=printer, user=person(), start=tomorrow(), end=tomorrow() + HOUR)
    status, html, code, answer = both()
    assert (status, code, answer["code"]) == (409, 409, "booking:overlap")
    assert answer["next_free"]["start"]
    assert "is taken then. It is free" in html
    order.refresh_from_db()
    assert (order.status, order.order_bookings.count()) == ("accepted", 0)


def test_a_design_without_a_release_says_so(client: Client, printer: Machine) -> None:
    made = design(person(), b"x", facts={"extents_mm": [1, 1, 1]})
    client.force_login(person())
    html = client.get(f"/make/{made.design.owner.name}/{made.design.slug}/order/").content.decode()
    assert "no release yet" in html


def test_the_make_page_says_for_and_against(client: Client, printer: Machine, kamppi: Any) -> None:
    far = machine(lab(place=kamppi), "Tiny", volume_x_mm=5, volume_y_mm=5, volume_z_mm=5)
    made = design(person(), b"solid hook", facts={"extents_mm": [20, 20, 20], "watertight": True})
    path = f"/make/{made.design.owner.name}/{made.design.slug}/"
    answer = client.get(path)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "body.stl fits into 250 × 210 × 220 mm." in html
    assert "body.stl is larger than 5 × 5 × 5 mm." in html
    assert html.index(printer.name) < html.index(far.name)
    assert client.get(path, {"by": "soon", "lat": "60", "lon": "24", "material": "ASA"}).status_code == 200
    hidden = design(person(), b"y", public=False)
    assert client.get(f"/make/{hidden.design.owner.name}/{hidden.design.slug}/").status_code == 404
