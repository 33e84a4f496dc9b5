"""Maintenance by hours of work and by days, its log; and who may see and do what with plans and with power."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import Membership, User
from commons.people.services import set_role
from labs.engine import maintenance as engine
from labs.errors import Overlap
from labs.errors.catalogue import BadStock
from labs.errors.interlocks import BadPlan
from labs.models import Booking, Interlock, InterlockCommand, Job, Machine, MaintenancePlan, MaintenanceRecord
from labs.queries import maintenance
from labs.services import bookings, interlocks, stock
from labs.services import maintenance as services
from tests.labs.conftest import enrolled, lab, machine, person
from tests.labs.test_api import bearer, post

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def boss(printer: Machine) -> User:
    user = person()
    set_role(organisation=printer.lab.organisation, user=user, role=Membership.Role.MANAGER)
    return user


def job(of: Machine, started: dt.datetime, hours: float | None, number: int) -> Job:
    of.refresh_from_db()
    device = of.device or enrolled(of)[0]
    ended = started + hours * HOUR if hours is not None else None
    return Job.objects.create(
        machine=of, device=device, device_job=str(number), started_at=started, finished_at=ended, outcome="finished"
    )


def test_hours_of_work_are_those_of_jobs_since_it_was_done(printer: Machine, boss: User) -> None:
    now = timezone.now()
    plan = services.add_plan(machine=printer, by=boss, name="Oil", every_h=10, since=now - 3 * DAY)
    job(printer, now - 4 * DAY, 5, 1)  # before
    job(printer, now - 3 * DAY - HOUR, 2, 2)  # half of it
    job(printer, now - 2 * DAY, 6, 3)
    job(printer, now - 2 * HOUR, None, 4)  # runs
    assert maintenance.worked_h([plan], now)[plan.pk] == pytest.approx(1 + 6 + 2)
    standing = maintenance.of_machine(printer, now)[0]
    assert (standing.due.state, standing.due.left_h) == ("soon", pytest.approx(1))
    assert services.tell_due(now) == 0
    assert services.tell_due(now + HOUR) == 1
    assert services.tell_due(now + 2 * HOUR) == 0
    assert Notice.objects.get(person=boss, kind="labs.maintenance").text.startswith("Maintenance is due")
    record = services.log_done(plan=plan, by=boss, note="dry", used="oil, 20 ml")
    assert (record.hours, record.name) == (pytest.approx(9, abs=0.01), "Oil")
    assert maintenance.of_machine(printer, timezone.now())[0].worked_h == pytest.approx(0, abs=0.01)


def overdue(of: Machine, by: User, when_due: str = "close") -> MaintenancePlan:
    since = timezone.now() - 31 * DAY
    return services.add_plan(machine=of, by=by, name="Oil", every_days=30, since=since, when_due=when_due)


def test_one_that_closes_keeps_the_machine_closed_until_it_is_done(printer: Machine, boss: User) -> None:
    user, now = person(), timezone.now()
    using = bookings.create_booking(machine=printer, user=user, start=now, end=now + HOUR)
    bookings.check_in(booking=using)
    near = bookings.create_booking(machine=printer, user=user, start=now + 5 * HOUR, end=now + 6 * HOUR)
    far = bookings.create_booking(machine=printer, user=user, start=now + 30 * HOUR, end=now + 31 * HOUR)
    plan = overdue(printer, boss)
    assert services.close_overdue(now) == 1
    states = [Booking.objects.get(pk=b.pk).status for b in (using, near, far)]
    assert states == ["running", "cancelled", "booked"]  # who uses it now is let finish
    assert "Maintenance is due: Oil" in Booking.objects.get(pk=near.pk).reason
    with pytest.raises(Overlap):
        bookings.create_booking(machine=printer, user=user, start=now + 5 * HOUR, end=now + 6 * HOUR)
    assert services.close_overdue(now + HOUR) == 0
    assert services.close_overdue(now + 14 * HOUR) == 1  # moved on
    assert Booking.objects.get(pk=far.pk).status == "cancelled"
    plan.refresh_from_db()
    assert plan.closure is not None
    services.log_done(plan=plan, by=boss)
    plan.refresh_from_db()
    assert plan.closure is None
    bookings.create_booking(machine=printer, user=user, start=now + 5 * HOUR, end=now + 6 * HOUR)
    assert services.close_overdue(timezone.now()) == 0


def test_one_that_warns_closes_nothing_and_a_change_of_mind_opens(printer: Machine, boss: User) -> None:
    now = timezone.now()
    plan = overdue(printer, boss, "warn")
    assert services.close_overdue(now) == 0
    services.choose_when_due(plan=plan, when_due="close")
    assert services.close_overdue(now) == 1
    assert Booking.objects.filter(machine=printer, kind="maintenance", status="booked").count() == 1
    services.choose_when_due(plan=plan, when_due="warn")
    assert not Booking.objects.filter(machine=printer, status__in=Booking.OPEN, end__gt=timezone.now()).exists()
    services.choose_when_due(plan=plan, when_due="close")
    services.close_overdue(now + MINUTE)
    services.end_plan(plan=plan)
    assert not Booking.objects.filter(machine=printer, status__in=Booking.OPEN, end__gt=now + HOUR).exists()
    with pytest.raises(BadPlan):
        services.choose_when_due(plan=plan, when_due="explode")


def test_parts_leave_the_stock_with_the_record_or_nothing_is_noted(printer: Machine, boss: User) -> None:
    belt = stock.add_consumable(lab=printer.lab, name="Belt", low=Decimal(1))
    stock.enter(consumable=belt, why="came", amount=Decimal(3), by=boss)
    plan = services.add_plan(machine=printer, by=boss, name="Belts", every_days=30, since=timezone.now() - 31 * DAY)
    with pytest.raises(BadStock, match="only 3"):
        services.log_done(plan=plan, by=boss, parts=[(belt, Decimal(4))])
    assert not MaintenanceRecord.objects.exists()
    record = services.log_done(plan=plan, by=boss, parts=[(belt, Decimal(2))])
    belt.refresh_from_db()
    assert belt.stock == 1
    entry = record.parts.get()
    assert (entry.amount, entry.why, entry.machine) == (Decimal(-2), "used", printer)
    assert Notice.objects.filter(person=boss, kind="labs.low_stock").count() == 1
    elsewhere = stock.add_consumable(lab=lab(), name="Belt")
    with pytest.raises(BadPlan, match="not of this lab"):
        services.log_done(plan=plan, by=boss, parts=[(elsewhere, Decimal(1))])


def test_parts_and_closing_on_the_page_and_over_the_api(client: Client, printer: Machine, boss: User) -> None:
    belt = stock.add_consumable(lab=printer.lab, name="Belt")
    stock.enter(consumable=belt, why="came", amount=Decimal(5), by=boss)
    plan = overdue(printer, boss)
    services.close_overdue(timezone.now())
    client.force_login(boss)
    path = f"/labs/{printer.lab.slug}/maintenance/"
    html = client.get(path).content.decode()
    assert "the machine is closed for it" in html
    assert "Belt (5 pcs)" in html
    fields = {"do": "done", "plan": plan.pk, "part": belt.pk, "amount": "1,5"}
    assert client.post(path, {**fields, "amount": "x"}).status_code == 422
    assert client.post(path, fields).status_code == 302
    assert "Belt" in client.get(path).content.decode().split("What was done")[1]
    client.logout()
    api, headers = f"/api/v1/labs/{printer.lab.slug}/maintenance/", bearer(boss, "labs:manage")
    changed = client.patch(f"{api}{plan.pk}/", {"when_due": "warn"}, "application/json", headers=headers).json()
    assert (changed["when_due"], changed["closes"]) == ("warn", False)
    body = {"parts": [{"consumable": belt.pk, "amount": "2"}]}
    assert post(client, f"{api}{plan.pk}/done/", body, **headers).status_code == 201
    belt.refresh_from_db()
    assert belt.stock == Decimal("1.5")
    assert post(client, f"{api}{plan.pk}/done/", body, **headers).status_code == 422
    trainer = person()
    set_role(organisation=printer.lab.organisation, user=trainer, role=Membership.Role.TRAINER)
    sent = client.patch(
        f"{api}{plan.pk}/", {"when_due": "close"}, "application/json", headers=bearer(trainer, "labs:manage")
    )
    assert sent.status_code == 404


def test_a_machine_that_reports_no_jobs_counts_what_was_used(printer: Machine, boss: User) -> None:
    now = timezone.now()
    plan = services.add_plan(machine=printer, by=boss, name="Belt", every_h=10, since=now - DAY)
    for back, status in [(20, "done"), (10, "cancelled"), (6, "missed")]:
        start = now - back * HOUR
        end = start + 3 * HOUR
        Booking.objects.create(
            machine=printer, user=boss, start=start, end=end, blocked=(start, end), status=status, ended_at=end - HOUR
        )
    assert maintenance.worked_h([plan], now)[plan.pk] == pytest.approx(2)


def test_whichever_comes_first() -> None:
    now = dt.datetime(2026, 6, 18, tzinfo=dt.UTC)

    def due(worked: float, days: float, **plan: Any) -> tuple[str, str]:
        facts = {"every_h": None, "every_days": None, **plan}
        found = engine.due(worked_h=worked, since=now - days * DAY, now=now, **facts)
        return found.state, found.first

    assert due(0, 29, every_days=30) == ("soon", "days")
    assert due(0, 30, every_days=30) == ("due", "days")
    assert due(100, 1, every_h=100, every_days=30) == ("due", "hours")
    assert due(10, 30, every_h=100, every_days=30) == ("due", "days")
    assert due(89, 26, every_h=100, every_days=30) == ("fine", "hours")


@pytest.mark.parametrize(
    "facts", [{}, {"every_h": -1}, {"every_days": 9999}, {"every_h": 5, "name": " "}, {"every_h": 5, "name": "Twice"}]
)
def test_plans_that_cannot_be(facts: dict[str, Any], printer: Machine, boss: User) -> None:
    services.add_plan(machine=printer, by=boss, name="Twice", every_h=5)
    with pytest.raises(BadPlan):
        services.add_plan(**{"machine": printer, "by": boss, "name": "Oil", **facts})


def test_what_was_done_is_final_and_in_order(printer: Machine, boss: User) -> None:
    plan = services.add_plan(machine=printer, by=boss, name="Oil", every_days=5)
    services.log_done(plan=plan, by=boss)
    for when in (timezone.now() + DAY, timezone.now() - DAY):
        with pytest.raises(BadPlan):
            services.log_done(plan=plan, by=boss, at=when)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        MaintenanceRecord.objects.update(hours=0)
    services.end_plan(plan=plan)
    with pytest.raises(BadPlan):
        services.log_done(plan=plan, by=boss)
    services.add_plan(machine=printer, by=boss, name="Oil", every_days=6)


ROLES = ("nobody", "stranger", "member", "trainer", "manager")
ROUTES = [
    ("/labs/{lab}/interlocks/", [302, 404, 404, 404, 200]),
    ("/labs/{lab}/interlocks/commands.csv", [302, 404, 404, 404, 200]),
    ("/labs/{lab}/interlocks/{slug}/", [302, 404, 404, 404, 200]),
    ("/labs/{lab}/maintenance/", [302, 404, 404, 200, 200]),
    ("/api/v1/machines/{machine}/interlock/", [401, 404, 404, 404, 200]),
    ("/api/v1/machines/{machine}/interlock/commands/", [401, 404, 404, 404, 200]),
    ("/api/v1/labs/{lab}/maintenance/", [401, 404, 404, 200, 200]),
]


def test_who_sees_what(client: Client, printer: Machine, boss: User) -> None:
    interlocks.set_interlock(machine=printer, by=boss, driver="none")
    services.add_plan(machine=printer, by=boss, name="Oil", every_h=5, every_days=9, steps="Slowly.")
    names = {"lab": printer.lab.slug, "slug": printer.slug, "machine": printer.pk}
    people: dict[str, User | None] = {"nobody": None, "stranger": person(), "manager": boss}
    for role in ("member", "trainer"):
        people[role] = user = person()
        set_role(organisation=printer.lab.organisation, user=user, role=role)
    seen = {route: [] for route, _ in ROUTES}  # type: dict[str, list[int]]
    for role in ROLES:
        client.logout()
        if (user := people[role]) is not None:
            client.force_login(user)
        for route, _ in ROUTES:
            seen[route].append(client.get(route.format(**names)).status_code)
    assert seen == dict(ROUTES)


def test_the_pages_do_what_they_say(client: Client, printer: Machine, boss: User, settings: Any) -> None:
    settings.INTERLOCK_NETWORKS = ["192.168.20.0/24"]
    client.force_login(boss)
    power = f"/labs/{printer.lab.slug}/interlocks/{printer.slug}/"
    facts = {"do": "set", "driver": "shelly", "url": "http://192.168.21.5", "hold_s": "180", "grace_s": "60"}
    answer = client.post(power, facts)
    assert (answer.status_code, "INTERLOCK_NETWORKS" in answer.content.decode()) == (422, True)
    facts |= {"url": "http://192.168.20.5", "password": "sesame", "in_use": "on"}
    assert client.post(power, facts).status_code == 302
    assert "sesame" not in client.get(power).content.decode()
    assert client.post(power, {"do": "lock", "reason": "smoke"}).status_code == 302
    assert "smoke" in client.get(power).content.decode()
    assert client.post(power, {"do": "free"}).status_code == 302
    assert client.post(power, {"do": "ask"}).status_code == 302
    assert client.post(power, {"do": "remove"}).status_code == 302
    assert not Interlock.objects.exists()
    assert "removed" in b"".join(client.get(f"{power}../commands.csv".replace(f"{printer.slug}/../", ""))).decode()  # type: ignore[arg-type]
    care = f"/labs/{printer.lab.slug}/maintenance/"
    assert client.post(care, {"do": "plan", "machine": printer.pk, "name": "Oil", "every_h": "5"}).status_code == 302
    plan = MaintenancePlan.objects.get()
    assert client.post(care, {"do": "done", "plan": plan.pk, "note": "<b>dry</b>"}).status_code == 302
    assert "&lt;b&gt;dry" in client.get(care).content.decode()
    assert client.post(care, {"do": "end", "plan": plan.pk}).status_code == 302
    assert not MaintenancePlan.objects.get().active


def test_power_is_asked_for_on_the_bookings_own_page(client: Client, printer: Machine, boss: User) -> None:
    lock = interlocks.set_interlock(machine=printer, by=boss, driver="none")
    user, now = person(), timezone.now()
    booking = Booking.objects.create(machine=printer, user=user, start=now, end=now + HOUR, blocked=(now, now + HOUR))
    api = f"/api/v1/bookings/{booking.pk}/power/"
    client.force_login(person())
    assert client.post(api).status_code == 404
    assert client.post(f"/b/{booking.pk}/power/").status_code == 404
    client.force_login(user)
    answer = client.post(api)
    assert (answer.status_code, answer.json()["code"], answer.json()["why"]) == (
        409,
        "interlock:no-power",
        "not-checked-in",
    )
    bookings.check_in(booking=booking)
    assert "Power on again" in client.get(f"/b/{booking.pk}/").content.decode()
    assert client.post(api).status_code == 202
    assert client.post(f"/b/{booking.pk}/power/").status_code == 302
    interlocks.settle()
    lock.refresh_from_db()
    assert lock.state == "on"
    assert "Power on again" not in client.get(f"/b/{booking.pk}/").content.decode()
    assert InterlockCommand.objects.filter(what="wanted", person=user).count() == 3


def test_the_api_sets_up_locks_and_keeps_plans(client: Client, printer: Machine, boss: User) -> None:
    client.force_login(boss)
    path = f"/api/v1/machines/{printer.pk}/interlock/"
    kwargs = {"content_type": "application/json"}
    assert client.get(path).status_code == 404
    assert client.put(path, {"driver": "none", "hold_s": 5}, **kwargs).status_code in {400, 422}
    made = client.put(path, {"driver": "none"}, **kwargs).json()
    assert (made["wanted"], made["why"], made["has_password"]) == (False, "nobody", False)
    assert client.post(f"{path}lock/", {"reason": "smoke"}, **kwargs).json()["why"] == "locked"
    assert client.delete(f"{path}lock/").json()["locked"] is False
    assert [row["what"] for row in client.get(f"{path}commands/").json()["results"]] == ["freed", "locked", "set"]
    assert client.delete(path).status_code == 204
    plans = f"/api/v1/labs/{printer.lab.slug}/maintenance/"
    other = machine(person_lab := printer.lab)
    assert person_lab == other.lab
    assert client.post(plans, {"machine": 0, "name": "Oil", "every_h": 5}, **kwargs).status_code == 422
    assert client.post(plans, {"machine": other.pk, "name": "Oil"}, **kwargs).status_code == 422
    plan = client.post(plans, {"machine": other.pk, "name": "Oil", "every_h": 5}, **kwargs).json()
    assert (plan["state"], plan["share"]) == ("fine", 0)
    assert client.post(f"{plans}{plan['id']}/done/", {"note": "dry"}, **kwargs).status_code == 201
    assert client.delete(f"{plans}{plan['id']}/").status_code == 204
    assert client.post(f"{plans}{plan['id']}/done/", {}, **kwargs).status_code == 404
