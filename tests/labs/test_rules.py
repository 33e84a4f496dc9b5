"""Rules that a lab sets hold at once, say what would help, keep their history, and can be tried before they hold."""

import datetime as dt
from typing import Any

import orjson
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons.errors import CityError
from commons.people.models import User
from commons.people.services import create_token, set_role
from labs.engine.hours import Span
from labs.errors import BadTime, NotQualified
from labs.errors.rules import BadRule, MembersOnly, OverQuota, Paused, RulesChanged, UnknownRule
from labs.models import Booking, BookingRule, Lab, Machine
from labs.queries import bookings as reads_bookings
from labs.queries import catalogue as reads
from labs.queries import rule_preview, rules
from labs.services import bookings, catalogue
from labs.services import rules as services
from labs.services.rules import Scope
from tests.labs.conftest import lab, machine, person, tomorrow

HOUR = dt.timedelta(hours=1)
HELSINKI_NOON = 9


def book(asked: Machine, user: User, start: dt.datetime, hours: float = 1) -> Booking:
    return bookings.create_booking(machine=asked, user=user, start=start, end=start + hours * HOUR)


def rule(of: Lab, name: str, text: str, **scope: Any) -> BookingRule:
    return services.set_rule(lab=of, name=name, text=text, by=None, scope=Scope(**scope))


def test_the_nearest_rule_holds_and_ending_it_lets_the_wider_hold_again(printer: Machine) -> None:
    here, user = printer.lab, person()
    set_role(organisation=here.organisation, user=user, role="trainer")
    assert rules.for_machine(printer, user).longest_h == 24
    rule(here, "longest_h", "8")
    rule(here, "longest_h", "6", cls="3d-printer")
    assert rules.for_machine(printer, user).longest_h == 6
    rule(here, "longest_h", "5", machine=printer)
    trainers = rule(here, "longest_h", "7", machine=printer, role="trainer")
    assert (rules.for_machine(printer, user).longest_h, rules.for_machine(printer).longest_h) == (7, 5)
    services.end_rule(lab=here, key=trainers.pk, by=user)
    assert rules.for_machine(printer, user).longest_h == 5
    with pytest.raises(UnknownRule):
        services.end_rule(lab=here, key=trainers.pk, by=user)
    other = machine(here, cls="laser-cutter")
    assert {key: r.longest_h for key, r in rules.for_machines([printer, other], user).items()} == {
        printer.pk: 5,
        other.pk: 8,
    }


def test_a_change_is_history_and_never_overwrites(printer: Machine) -> None:
    here, boss = printer.lab, person()
    first = services.set_rule(lab=here, name="lead_min", text="30", by=boss)
    same = services.set_rule(lab=here, name="lead_min", text=" 30 ", by=boss)
    assert same.pk == first.pk
    second = services.set_rule(lab=here, name="lead_min", text="60", by=boss, revision=2)
    first.refresh_from_db()
    assert (first.active, first.ended_by, first.value, second.value) == (False, boss, "30", "60")
    with pytest.raises(RulesChanged) as refused:
        services.set_rule(lab=here, name="lead_min", text="90", by=boss, revision=2)
    assert refused.value.data["revision"] == 3
    with pytest.raises(IntegrityError, match="labs_rule_once"), transaction.atomic():
        BookingRule.objects.create(lab=here, name="lead_min", value="15")


@pytest.mark.parametrize(
    ("name", "text", "scope"),
    [
        ("longest", "8", {}),
        ("longest_h", "eight", {}),
        ("longest_h", "-1", {}),
        ("blackout", "mon 18:00-16:00", {}),
        ("needs_approval", "perhaps", {}),
        ("longest_h", "8", {"cls": "spaceship"}),
        ("longest_h", "8", {"role": "king"}),
    ],
)
def test_what_is_no_rule_is_refused_and_changes_nothing(
    printer: Machine, name: str, text: str, scope: dict[str, str]
) -> None:
    with pytest.raises(BadRule):
        rule(printer.lab, name, text, **scope)
    assert not BookingRule.objects.exists()


def test_another_labs_machine_is_refused(printer: Machine) -> None:
    with pytest.raises(BadRule):
        rule(printer.lab, "longest_h", "8", machine=machine(lab()))


def test_quotas_pauses_and_members_are_kept_by_the_service(printer: Machine) -> None:
    here, user = printer.lab, person()
    rule(here, "per_day_h", "3")
    book(printer, user, tomorrow(8), 2)
    with pytest.raises(OverQuota) as refused:
        book(printer, user, tomorrow(11), 2)
    told = refused.value.data
    assert told["left_h"] == 1
    allowed = told["next_allowed"]
    start, end = (dt.datetime.fromisoformat(allowed[name]) for name in ("start", "end"))
    assert end - start == 2 * HOUR
    assert start.astimezone(here.zone).date() > tomorrow(11).astimezone(here.zone).date()
    bookings.create_booking(machine=printer, user=user, start=start, end=end)
    rule(here, "members_only", "yes")
    with pytest.raises(MembersOnly):
        book(printer, user, tomorrow(14))
    set_role(organisation=here.organisation, user=user, role="member")
    book(printer, user, tomorrow(14))
    rule(here, "no_shows", "1")
    past = Span(timezone.now() - 2 * HOUR, timezone.now() - HOUR)
    Booking.objects.filter(user=user, machine=printer).exclude(start=tomorrow(8)).delete()
    Booking.objects.filter(user=user).update(
        status="missed", start=past.start, end=past.end, blocked=DateTimeTZRange(past.start, past.end)
    )
    with pytest.raises(Paused, match="pause"):
        book(printer, user, tomorrow(15))


def test_machines_booked_in_one_step_count_together(printer: Machine) -> None:
    here, user = printer.lab, person()
    rule(here, "per_day_h", "3")
    rule(here, "gap_min", "30")
    machines = [printer, machine(here)]
    with pytest.raises(OverQuota):
        bookings.book_together(machines=machines, user=user, start=tomorrow(), end=tomorrow() + 2 * HOUR)
    bookings.book_together(machines=machines, user=user, start=tomorrow(), end=tomorrow() + 1.5 * HOUR)


def test_lead_blackout_and_gap_name_a_time_that_is_then_taken(printer: Machine) -> None:
    here, user = printer.lab, person()
    noon = tomorrow(HELSINKI_NOON)
    day = noon.astimezone(here.zone)
    local = f"{day:%a}".lower()
    rule(here, "blackout", f"{local} {day:%H}:00-{day + HOUR:%H}:30")
    with pytest.raises(BadTime) as refused:
        book(printer, user, noon)
    start = dt.datetime.fromisoformat(refused.value.data["next_allowed"]["start"])
    assert start == noon + 1.5 * HOUR
    book(printer, user, start)
    rule(here, "gap_min", "45")
    with pytest.raises(BadTime) as refused:
        book(printer, user, start + HOUR)
    after = dt.datetime.fromisoformat(refused.value.data["next_allowed"]["start"])
    assert after == start + 1.75 * HOUR
    book(printer, user, after)


@pytest.mark.parametrize(("month", "day", "real"), [(3, 29, 23), (10, 25, 25)])
def test_a_day_of_23_or_25_hours_is_counted_by_real_hours(printer: Machine, month: int, day: int, real: int) -> None:
    """The whole local day of the change is as many hours as a stopwatch would say, and the quota sees just that."""
    here, user = printer.lab, person()
    year = 2027
    day = {3: 28, 10: 31}[month]
    start = dt.datetime(year, month, day, tzinfo=here.zone)
    end = dt.datetime(year, month, day, tzinfo=here.zone) + dt.timedelta(days=1)
    rule(here, "per_day_h", str(real))
    rule(here, "horizon_days", "730")
    rule(here, "longest_h", "25")
    now = start.astimezone(dt.UTC) - dt.timedelta(days=30)
    ask: dict[str, Any] = {"machine": printer, "user": user, "span": Span(start, end), "now": now}
    assert rules.why_not(**ask) == []
    rule(here, "per_day_h", str(real - 0.5))
    assert [r.rule for r in rules.why_not(**ask)] == ["per_day_h"]


def test_all_reasons_come_with_a_remedy_and_few_queries(printer: Machine) -> None:
    badge = catalogue.create_badge(slug="printing", name="3D printing")
    printer.required_badges.add(badge)
    here, user = printer.lab, person()
    for name, text in (("longest_h", "2"), ("lead_min", "10000"), ("members_only", "yes"), ("per_day_h", "1")):
        rule(here, name, text)
    asked = reads.find_machine(pk=printer.pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = rules.why_not(
            machine=asked, user=user, span=Span(tomorrow(), tomorrow() + 3 * HOUR), now=timezone.now()
        )
    assert [r.rule for r in found] == ["longest_h", "lead_min", "badge", "members_only", "per_day_h"]
    assert all(r.sentence.endswith(".") and r.remedy.endswith(".") for r in found)
    assert isinstance(found[2].raised(), NotQualified)
    assert len(queries) <= 14  # eight of them are the way to the badge: whom the lab trusts, course, next session


def test_why_not_agrees_with_the_service(printer: Machine) -> None:
    """What is called allowed is taken, what is refused is refused by the first reason: asked of the service itself."""
    here, user = printer.lab, person()
    for name, text in (("longest_h", "3"), ("lead_min", "120"), ("per_week_h", "4"), ("gap_min", "30")):
        rule(here, name, text)
    book(printer, user, tomorrow(9), 2)
    seen = set()
    for start in (timezone.now() + HOUR, tomorrow(6), tomorrow(8), tomorrow(11), tomorrow(12), tomorrow(15)):
        for hours in (1, 3, 4):
            span = Span(start, start + hours * HOUR)
            found = rules.why_not(machine=printer, user=user, span=span, now=timezone.now())
            point = transaction.savepoint()
            try:
                book(printer, user, start, hours)
                heard = ""
            except CityError as refusal:
                heard = refusal.code
            transaction.savepoint_rollback(point)
            assert heard == (found[0].code if found else ""), (start, hours, found)
            seen.add(heard)
    assert seen >= {"", "booking:bad-time", "booking:over-quota"}


def test_a_slot_that_says_free_is_taken_by_the_service(printer: Machine) -> None:
    """With hours kept from booking, a lead and a horizon: free slots are accepted, the others refused."""
    here, user = printer.lab, person()
    noon = tomorrow(HELSINKI_NOON)
    day = noon.astimezone(here.zone)
    rule(here, "blackout", f"{day:%a} {day:%H}:00-{day + 2 * HOUR:%H}:30")
    rule(here, "lead_min", "120")
    now = timezone.now()
    for first, count in ((now.replace(minute=0, second=0, microsecond=0), 5), (noon - HOUR, 6)):
        slots = reads_bookings.slots(printer, start=first, end=first + count * HOUR, step=HOUR, now=now)
        assert {slot.free for slot in slots} == {True, False}
        for slot in slots:
            point = transaction.savepoint()
            try:
                book(printer, user, slot.start)
                accepted = True
            except CityError:
                accepted = False
            transaction.savepoint_rollback(point)
            assert accepted is slot.free, slot
    offers = reads_bookings.best(printer, length=HOUR, now=now, days=2, count=20)
    assert offers
    assert not any(why_not_now(printer, user, Span(offer.start, offer.end)) for offer in offers)


def why_not_now(asked: Machine, user: User, span: Span) -> list[rules.Refusal]:
    return rules.why_not(machine=asked, user=user, span=span, now=timezone.now())


def test_times_at_the_end_of_the_calendar_are_refused_in_words(printer: Machine) -> None:
    user = person()
    for start in (dt.datetime(9999, 12, 31, 20, tzinfo=dt.UTC), dt.datetime(2, 1, 1, tzinfo=dt.UTC)):
        with pytest.raises(BadTime):
            book(printer, user, start)
    with pytest.raises(BadTime):
        bookings.create_booking(
            machine=printer, user=user, start=tomorrow(), end=dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
        )


def test_a_preview_counts_what_the_rule_itself_would_refuse(printer: Machine) -> None:
    here = printer.lab
    one, two = person(), person()
    for start, user, hours in ((tomorrow(6), one, 1), (tomorrow(8), one, 3), (tomorrow(12), two, 2)):
        book(printer, user, start, hours)
    tried = services.candidate(lab=here, name="longest_h", text="1.5")
    with CaptureQueriesContext(connection) as queries:
        would = rule_preview.preview(here, rule_preview.with_rule(here, tried), now=timezone.now())
    assert (would.looked_at, [b.user for b in would.refused], would.people) == (3, [one, two], 2)
    assert len(queries) <= 7
    tried = services.candidate(lab=here, name="per_day_h", text="2")
    would = rule_preview.preview(here, rule_preview.with_rule(here, tried), now=timezone.now())
    assert [b.user for b in would.refused] == [one]
    assert not BookingRule.objects.exists()


def bearer(user: User, *scopes: str) -> dict[str, str]:
    _token, secret = create_token(user=user, name="test", scopes=scopes)
    return {"Authorization": f"Bearer {secret}"}


def send(client: Client, path: str, body: object, **headers: str) -> Any:
    return client.post(path, orjson.dumps(body), content_type="application/json", headers=headers)


def test_the_api_reads_sets_tries_and_ends(client: Client, printer: Machine) -> None:
    boss, path = person(), f"/api/v1/labs/{printer.lab.slug}/rules/"
    set_role(organisation=printer.lab.organisation, user=boss, role="manager")
    book(printer, person(), tomorrow(), 3)
    head = bearer(boss, "labs:manage")
    body = {"name": "longest_h", "value": "2", "machine": printer.pk}
    tried = send(client, path + "preview/", body, **head)
    assert (tried.status_code, tried.json()["refused"], tried.json()["looked_at"]) == (200, 1, 1)
    made = send(client, path, body, **head)
    assert made.status_code == 201, made.content
    assert made.json()["sentence"] == "A booking takes at most 2\xa0h."
    read = client.get(path).json()
    assert (read["revision"], [r["value"] for r in read["results"]]) == (1, ["2"])
    assert send(client, path, {**body, "revision": 0}, **head).json()["code"] == "labs:rules-changed"
    assert send(client, path, {"name": "longest_h", "value": "x"}, **head).status_code == 422
    assert client.delete(f"{path}{made.json()['id']}/", headers=head).status_code == 204
    assert client.get(path).json()["results"] == []


def test_why_not_over_the_api(client: Client, printer: Machine) -> None:
    user = person()
    head = bearer(user, "bookings:read")
    book(printer, person(), tomorrow(9), 2)
    rule(printer.lab, "longest_h", "2")
    path = f"/api/v1/machines/{printer.pk}/why-not/"
    span = {"start": tomorrow(9).isoformat(), "end": tomorrow(12).isoformat()}
    told = client.get(path, span, headers=head).json()
    assert (told["allowed"], told["free"], [r["rule"] for r in told["refusals"]]) == (False, False, ["longest_h"])
    offered = told["next_allowed"]
    assert dt.datetime.fromisoformat(offered["start"]) == tomorrow(11)
    assert client.get(path, offered, headers=head).json() == {
        "allowed": True,
        "free": True,
        "refusals": [],
        "next_allowed": None,
    }
    assert client.get(path, {"start": "now"}, headers=head).status_code == 400
    assert client.get(path, {**span, "end": "9999-12-31T23:00:00Z"}, headers=head).status_code == 400


ROUTES = [
    ("get", "/labs/{lab}/rules/", {"nobody": 200, "guest": 200, "member": 200, "trainer": 200, "manager": 200}),
    ("post", "/labs/{lab}/rules/", {"nobody": 404, "guest": 404, "member": 404, "trainer": 404, "manager": 200}),
    ("get", "/api/v1/labs/{lab}/rules/", {"nobody": 200, "guest": 200, "manager": 200}),
    ("post", "/api/v1/labs/{lab}/rules/", {"nobody": 401, "guest": 403, "member": 403, "trainer": 403, "manager": 400}),
    ("post", "/api/v1/labs/{lab}/rules/preview/", {"nobody": 401, "guest": 403, "trainer": 403, "manager": 400}),
    ("delete", "/api/v1/labs/{lab}/rules/1/", {"nobody": 401, "guest": 403, "trainer": 403, "manager": 404}),
    ("get", "/api/v1/machines/{machine}/why-not/", {"nobody": 401, "guest": 400, "manager": 400}),
    ("get", "/api/v1/labs/nowhere/rules/", {"nobody": 404, "manager": 404}),
    ("get", "/labs/nowhere/rules/", {"nobody": 404, "manager": 404}),
]


@pytest.mark.parametrize(("method", "path", "expected"), ROUTES, ids=[f"{r[0]} {r[1]}" for r in ROUTES])
def test_who_may(client: Client, printer: Machine, method: str, path: str, expected: dict[str, int]) -> None:
    for role, status in expected.items():
        client.logout()
        if role != "nobody":
            user = person()
            if role != "guest":
                set_role(organisation=printer.lab.organisation, user=user, role=role)
            client.force_login(user)
        more = {"content_type": "application/json"} if method != "get" and path.startswith("/api/") else {}
        answer = getattr(client, method)(path.format(lab=printer.lab.slug, machine=printer.pk), **more)
        assert answer.status_code == status, (role, answer.content[:300])


def test_the_page_says_the_rules_and_a_manager_tries_and_sets_them(client: Client, printer: Machine) -> None:
    path, boss = f"/labs/{printer.lab.slug}/rules/", person()
    set_role(organisation=printer.lab.organisation, user=boss, role="manager")
    rule(printer.lab, "longest_h", "4", machine=printer)
    html = client.get(path).content.decode()
    assert "A booking takes at most 4\xa0h." in html
    assert "Set a rule" not in html
    client.force_login(boss)
    book(printer, person(), tomorrow(), 3)
    body = {
        "do": "try",
        "scope": "cls:3d-printer",
        "name": "per_day_h",
        "value": "2",
        "role": "everybody",
        "revision": "1",
    }
    html = client.post(path, body).content.decode()
    assert "1 of the 1 bookings to come would have been refused" in html
    assert BookingRule.objects.count() == 1
    assert client.post(path, {**body, "do": "set"}).status_code == 302
    made = BookingRule.objects.get(name="per_day_h")
    assert (made.by, made.cls, made.value) == (boss, "3d-printer", "2")
    assert client.post(path, {**body, "do": "set", "value": "3"}).status_code == 409
    assert client.post(path, {"do": "end", "rule": str(made.pk), "revision": "2"}).status_code == 302
    assert "What held before" in client.get(path).content.decode()
