"""What a vote changes for real: the next settlement, and who may book how much. The past stays to the cent."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from commons.decisions import measuring, queries, services
from commons.decisions.errors import OutsideLimits
from commons.decisions.models import Body, Enactment, Motion
from commons.people.models import User
from commons.people.services import create_user, set_role
from commons.places.models import Place
from energy.deciding import body as street_body
from energy.deciding import sharing
from energy.errors import BadTerms
from energy.models import Community, MeterPoint, Participant, SchemeVersion
from labs.deciding import opening, surplus
from labs.deciding import quota as quotas
from labs.errors import BadHours
from labs.errors.rules import BadRule, OverQuota
from labs.models import Machine
from tests.decisions.test_motions import WHY, at_once
from tests.energy.test_statements import measure, settle
from tests.labs.conftest import tomorrow
from tests.labs.test_rules import book

pytestmark = pytest.mark.django_db(transaction=True)
HELSINKI = ZoneInfo("Europe/Helsinki")
JULY, AUGUST = dt.date(2026, 7, 1), dt.date(2026, 8, 1)


def decide(body: Body, people: list[User], effect: str, value: dict[str, object]) -> Motion:
    """A vote that everybody wins, up to the moment from which it holds."""
    motion = services.propose(
        body=body,
        author=people[0],
        title="Shall we do it in another way?",
        text=WHY,
        method="majority",
        effect=effect,
        options=[{"title": "The other way", "value": value}],
    )
    at_once(motion, "open")
    for person in people:
        services.vote(motion=motion, person=person, choice="1")
    at_once(motion, "counted")
    return at_once(motion, "passed")


def test_a_vote_changes_the_next_settlement_and_no_other(street: Community, three: dict[str, MeterPoint]) -> None:
    people = []
    for i, one in enumerate(Participant.objects.filter(community=street).order_by("pk")):
        people.append(one.person or create_user(username=f"voter-{i}", name="", password="a long pass phrase"))
        Participant.objects.filter(pk=one.pk).update(person=people[-1])
    for name, values in (("A", {10: 0.5}), ("B", {10: 1.5}), ("C", {11: 0.1}), ("sun", {10: 1.0, 11: 3.0})):
        measure(three[name], JULY, AUGUST, values)
    before = settle(street)
    motion = decide(
        services.body(kind="energy.community", key="street"),
        people,
        "energy.sharing_rule",
        {"key": "static", "price": 0.02},
    )
    assert motion.state == "passed" and motion.takes_effect_at is not None
    local = motion.takes_effect_at.astimezone(HELSINKI)
    assert (local.day, local.hour) == (1, 0) and local > timezone.now()
    Motion.objects.filter(pk=motion.pk).update(takes_effect_at=dt.datetime(2026, 7, 1, tzinfo=HELSINKI))
    services.advance(motion.pk)
    rules = SchemeVersion.objects.get(scheme__community=street, valid_from=JULY)
    assert (rules.key, rules.price, rules.law) == ("static", Decimal("0.02"), "at-local")
    assert rules.decided_url == f"/decisions/{motion.pk}/"
    july = settle(street, "2026-07")
    assert before is not None and july is not None
    rates = [
        {line.rate for of in month.statements.all() for line in of.lines.filter(code__in=("shared", "given"))}
        for month in (before, july)
    ]
    assert [{abs(rate) for rate in of} for of in rates] == [{Decimal("0.12")}, {Decimal("0.02")}]
    assert settle(street) is None, "June comes out the same, so there is no new statement"
    held = queries.value("energy.sharing_rule", "energy.community:street", timezone.now())
    assert held is not None and held.decided_by == motion
    assert (
        queries.value("energy.sharing_rule", "energy.community:street", dt.datetime(2026, 6, 30, tzinfo=dt.UTC)) is None
    )
    services.advance_all()
    assert SchemeVersion.objects.filter(scheme__community=street).count() == 2


def test_what_a_rule_of_sharing_may_be(street: Community, three: dict[str, MeterPoint], neighbour: User) -> None:
    assert sharing.check("street", {"key": "static", "price": "0.1"}) == {"key": "static", "price": 0.1}
    for wrong in (
        {"key": "equal", "price": 0.1},
        {"key": "static", "price": "a lot"},
        {"key": "static", "price": 3},
        {},
    ):
        with pytest.raises(BadTerms):
            sharing.check("street", wrong)
    body = services.body(kind="energy.community", key="street")
    with pytest.raises(OutsideLimits):
        decide(body, [neighbour], "energy.sharing_rule", {"key": "static", "price": 1.5})
    assert street_body.members("street").keys() == {neighbour.pk}
    Participant.objects.filter(person=neighbour).update(left_on=dt.date(2026, 2, 1))
    assert not street_body.members("street") and not street_body.members("no-such-street")


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2026-03-01T00:00", "2026-03-01T00:00"),
        ("2026-03-01T00:01", "2026-04-01T00:00"),
        ("2026-10-25T03:30", "2026-11-01T00:00"),
        ("2026-12-31T23:59", "2027-01-01T00:00"),
    ],
)
def test_months_begin_at_local_midnight(street: Community, at: str, first: str) -> None:
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=HELSINKI)
    assert sharing.border("street", moment) == dt.datetime.fromisoformat(first).replace(tzinfo=HELSINKI)


def test_a_vote_changes_how_much_each_may_book(printer: Machine) -> None:
    here = printer.lab
    people = [create_user(username=f"maker-{i}", name="", password="a long pass phrase") for i in range(3)]
    for person in people:
        set_role(organisation=here.organisation, user=person, role="member")
        here.organisation.memberships.filter(user=person).update(since=timezone.now() - dt.timedelta(days=60))
    body = services.body(kind="labs.lab", key=here.slug)
    motion = decide(body, people, "labs.quota", {"per_week_h": "3", "open_bookings": ""})
    assert motion.takes_effect_at is not None
    local = motion.takes_effect_at.astimezone(here.zone)
    assert (local.weekday(), local.hour, local.minute) == (0, 0, 0)
    book(printer, people[0], tomorrow(10), hours=4)
    client = Client()
    client.force_login(people[0])
    ballot = client.get(f"/decisions/{motion.pk}/").content.decode()
    assert "1 / 1" in ballot and "For you: 1 booking to come is beyond it." in ballot
    assert "For you:" not in Client().get(f"/decisions/{motion.pk}/").content.decode()
    at_once(motion, "enacted")
    assert quotas.now(here.slug) == {"per_week_h": 3.0}
    with pytest.raises(OverQuota):
        book(printer, people[1], tomorrow(15), hours=4)
    book(printer, people[1], tomorrow(15), hours=2)
    page = Client().get(f"/decisions/bodies/labs.lab/{here.slug}/").content.decode()
    assert str(quotas.say(here.slug, {"per_week_h": 3.0})) in page and motion.title in page
    for wrong in ({}, {"per_week_h": "many"}, {"open_bookings": 1.5}):
        with pytest.raises(BadRule):
            quotas.check(here.slug, wrong)


def test_private_communities_decide_among_themselves(
    street: Community, three: dict[str, MeterPoint], neighbour: User
) -> None:
    body = services.body(kind="energy.community", key="street")
    motion = services.propose(body=body, author=neighbour, title="A bench?", text=WHY, method="majority",
                              options=[{"title": "A bench"}])  # fmt: skip
    assert Client().get(f"/decisions/{motion.pk}/").status_code == 200
    Community.objects.filter(pk=street.pk).update(public=False)
    for path in (
        f"/decisions/{motion.pk}/",
        "/decisions/bodies/energy.community/street/",
        f"/api/v1/decisions/{motion.pk}/",
    ):
        assert Client().get(path).status_code == 404, path
    assert "A bench?" not in Client().get("/decisions/").content.decode()
    assert Client().get("/api/v1/decisions/").json()["results"] == []


# --- what is reckoned before and measured after ---------------------------------------------------------------------


def test_what_a_rule_means_is_on_the_ballot_and_then_measured(
    street: Community, three: dict[str, MeterPoint], neighbour: User
) -> None:
    people = []
    for i, one in enumerate(Participant.objects.filter(community=street).order_by("pk")):
        people.append(one.person or create_user(username=f"voter-{i}", name="", password="a long pass phrase"))
        Participant.objects.filter(pk=one.pk).update(person=people[-1])
    motion = services.propose(
        body=services.body(kind="energy.community", key="street"), author=people[0], title="Cheaper among us?",
        text=WHY, method="majority", effect="energy.tariff", options=[{"title": "Two cents", "value": {"price": 0.02}}],
    )  # fmt: skip
    assert measuring.reckon_all() == 1 and measuring.reckon_all() == 0
    kept = motion.options.get(position=1).reckoned
    # June: A receives 1.6 and B 0.7 of the 2.3 kWh given, or so; ten cents less each, with 25.5 % tax for who draws
    june = settle(street)
    assert june is not None
    received = {s.participant.person_id: s.received_kwh for s in june.statements.all()}
    for person in people[:2]:
        assert kept["people"][str(person.pk)]["month"] == pytest.approx(
            -float(received[person.pk]) * 0.10 * 1.255, abs=0.006
        )
    figures = kept["figures"]
    assert (figures["members"], figures["pay_less"], figures["pay_more"], figures["months"]) == (3, 2, 1, 1)
    assert 0 <= figures["gini_before"] <= 1 and figures["currency"] == "EUR"
    client = Client()
    client.force_login(people[0])
    mine, public = client.get(f"/decisions/{motion.pk}/"), Client().get(f"/decisions/{motion.pk}/")
    assert "For you:" in mine.content.decode() and "less a month" in mine.content.decode()
    assert "For you:" not in public.content.decode() and "pay less" in public.content.decode()
    told = Client().get(f"/api/v1/decisions/{motion.pk}/").json()["options"][1]
    assert told["figures"] == figures and "people" not in str(told)
    at_once(motion, "open")
    for person in people:
        services.vote(motion=motion, person=person, choice="1")
    at_once(motion, "counted")
    at_once(motion, "passed")
    Motion.objects.filter(pk=motion.pk).update(takes_effect_at=dt.datetime(2026, 7, 1, tzinfo=HELSINKI))
    services.advance(motion.pk)
    assert "people" not in motion.options.get(position=1).reckoned, "nobody's own figures stay"
    assert not measuring.measure_all(dt.datetime(2026, 7, 20, tzinfo=HELSINKI)), "July is not over"
    for name, values in (("A", {10: 0.5}), ("B", {10: 1.5}), ("C", {11: 0.1}), ("sun", {10: 1.0, 11: 3.0})):
        measure(three[name], JULY, AUGUST, values)
    assert measuring.measure_all(dt.datetime(2026, 8, 10, tzinfo=HELSINKI)) == 1
    done = Enactment.objects.get(motion=motion)
    assert done.before == {"price": 0.12} and done.promised == figures
    assert done.measured["figures"]["months"] == 1 and done.measured["system"] == "electricity"
    page = Client().get(f"/decisions/{motion.pk}/").content.decode()
    assert "On the ballot" in page and "Measured" in page
    found = list(measuring.evidence(street.place))
    assert [(one.system, one.level) for one in found] == [("electricity", 5)]
    assert list(measuring.evidence(Place.objects.create(slug="else", name="Elsewhere"))) == []


def test_two_votes_of_one_day_are_one_version(street: Community, three: dict[str, MeterPoint]) -> None:
    sharing.enact(street, JULY, "/decisions/1/", 0.05, "static")
    sharing.enact(street, JULY, "/decisions/2/", 0.03)
    held = SchemeVersion.objects.get(scheme__community=street, valid_from=JULY)
    assert (held.key, held.price) == ("static", Decimal("0.03"))


def members_of(printer: Machine) -> list[User]:
    people = [create_user(username=f"maker-{i}", name="", password="a long pass phrase") for i in range(3)]
    for person in people:
        set_role(organisation=printer.lab.organisation, user=person, role="member")
    printer.lab.organisation.memberships.update(since=timezone.now() - dt.timedelta(days=60))
    return people


def test_a_vote_changes_when_a_lab_is_open(printer: Machine) -> None:
    here, people = printer.lab, members_of(printer)
    body = services.body(kind="labs.lab", key=here.slug)
    book(printer, people[0], tomorrow(4), hours=1)
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "9-12, 13-20")
    motion = decide(body, people, "labs.opening", week)
    page = Client().get(f"/decisions/{motion.pk}/").content.decode()
    assert "09:00–12:00, 13:00–20:00" in page and "1 / 1" in page
    here.refresh_from_db()
    assert not here.opening_hours, "before its Monday it is open as before"
    at_once(motion, "enacted")
    here.refresh_from_db()
    assert here.opening_hours["mon"] == [["09:00", "12:00"], ["13:00", "20:00"]] and here.opening_hours["sun"] == []
    with pytest.raises(BadHours):
        opening.check(here.slug, {"mon": "soon"})
    with pytest.raises(BadHours):
        opening.check(here.slug, {})
    Enactment.objects.update(effective_at=timezone.now() - dt.timedelta(days=10))
    assert measuring.measure_all() == 1
    shown = Client().get(f"/decisions/{motion.pk}/").content.decode()
    assert "hours booked a week" in shown


def test_a_vote_sets_what_the_sun_makes_cheaper(printer: Machine) -> None:
    here, people = printer.lab, members_of(printer)
    body = services.body(kind="labs.lab", key=here.slug)
    assert surplus.holds(here.slug) == {}
    with pytest.raises(BadRule):
        decide(body, people, "labs.surplus_price", {"discount_percent": 60})
    motion = decide(body, people, "labs.surplus_price", {"discount_percent": 20, "above_surplus_share": 0.6})
    at_once(motion, "enacted")
    kept = {"discount_percent": 20.0, "above_surplus_share": 0.6}
    assert surplus.holds(here.slug, timezone.now() + dt.timedelta(seconds=1)) == kept
    assert surplus.holds(here.slug, timezone.now() - dt.timedelta(days=1)) == {}
    services.advance_all()
    assert queries.history("labs.surplus_price", f"labs.lab:{here.slug}").count() == 1
