"""Statements from readings to paper: by hand, over a change of clocks, with gaps, corrected, checked; who may see."""

import datetime as dt
import math
import re
import zlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from commons.notices.models import Notice
from commons.people.models import Membership, User
from commons.people.services import create_organisation, create_user
from commons.places.models import Place
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy import errors, series
from energy.models import (
    Community,
    MarketView,
    MeterDay,
    MeterPoint,
    Participant,
    PriceDay,
    PriceList,
    Settlement,
    Statement,
    StatementLine,
    TariffVersion,
)
from energy.services import feeds, market, participants, statements, tariffs
from energy.tasks import statements as tasks

D = Decimal
JUNE, JULY = dt.date(2026, 6, 1), dt.date(2026, 7, 1)
PRICES = {
    "energy_price": D("0.20"), "grid_fee": D("0.05"), "levies": D("0.02"), "base_fee": D("6"), "tax_pct": D("25.5"),
    "feed_in_price": D("0.08"),
}  # fmt: skip


@pytest.fixture
def street(kamppi: Place) -> Community:
    found = Community.objects.create(slug="street", name="Our street", place=kamppi)
    keepers = create_organisation(handle="street-coop", name="The co-op", kind="association")
    Community.objects.filter(pk=found.pk).update(organisation=keepers)
    found.refresh_from_db()
    return found


@pytest.fixture
def steward(street: Community) -> User:
    person = create_user(username="stella", name="Stella", password="a long pass phrase")
    Membership.objects.create(organisation=street.organisation, user=person, role=Membership.Role.STEWARD)
    return person


def home(street: Community, name: str, **more: Any) -> Participant:
    return Participant.objects.create(community=street, name=name, joined_on=dt.date(2026, 1, 1), **more)


def meter(of: Participant, direction: str = "use") -> MeterPoint:
    return MeterPoint.objects.create(
        participant=of, number=f"M{of.pk}", direction=direction, proof="steward", valid_from=of.joined_on
    )


def measure(of: MeterPoint, first: dt.date, until: dt.date, values: dict[int, float], *, quarters: int = 96) -> None:
    """Nothing in every quarter of the days, but for these of the first day."""
    day = first
    while day < until:
        count = {dt.date(2026, 3, 29): 92, dt.date(2026, 10, 25): 100}.get(day, quarters)
        row = [0.0] * count
        if day == first:
            for place, kwh in values.items():
                row[place] = kwh
        keep_day(of, day, row)
        day += dt.timedelta(days=1)


def keep_day(of: MeterPoint, day: dt.date, row: list[float]) -> None:
    before = of.days.filter(day=day, current=True).first()
    of.days.filter(day=day).update(current=False)
    known = [v for v in row if not math.isnan(v)]
    MeterDay.objects.create(
        meter=of, day=day, step_minutes=15, packed=series.pack(row), kwh=sum(known), missing=len(row) - len(known),
        source="file", revision=before.revision + 1 if before else 1,
    )  # fmt: skip


@pytest.fixture
def three(street: Community, neighbour: User) -> dict[str, MeterPoint]:
    """The month of `tests/engines/test_energy_billing.py`: A and B draw, C feeds in."""
    a, b, c = home(street, "Aino", person=neighbour), home(street, "Bo"), home(street, "Cai")
    found = {"A": meter(a), "B": meter(b), "C": meter(c), "sun": meter(c, "feed_in")}
    measure(found["A"], JUNE, JULY, {10: 0.5, 11: 1.0, 12: 0.3})
    measure(found["B"], JUNE, JULY, {10: 1.5, 11: 0.2, 12: 0.3})
    measure(found["C"], JUNE, JULY, {11: 0.1, 12: 0.4})
    measure(found["sun"], JUNE, JULY, {10: 1.0, 11: 3.0})
    tariffs.add_tariff_version(
        community=street, name="City power", currency="EUR", valid_from=dt.date(2026, 1, 1), **PRICES
    )
    tariffs.add_scheme_version(
        community=street, law="at-local", key="dynamic", price=D("0.12"), valid_from=dt.date(2026, 1, 1)
    )
    return found


def finish(run: Run) -> Run:
    do(run.pk)
    return runs.wait(run=Run.objects.get(pk=run.pk), timeout_s=60)


def settle(street: Community, month: str = "2026-06", **more: Any) -> Settlement | None:
    run = finish(statements.ask_statements(community=street, month=month, **more))
    assert run.status == Run.Status.DONE, run.error
    number = (run.result or {})["settlement"]
    return None if number is None else street.settlements.get(number=number)


pytestmark = pytest.mark.django_db(transaction=True)


def test_the_small_month_by_hand(street: Community, three: dict[str, MeterPoint], neighbour: User) -> None:
    found = settle(street)
    assert found is not None
    gross = {s.participant.name: (s.net, s.gross) for s in found.statements.all()}
    assert gross == {
        "Aino": (D("6.36"), D("7.98")), "Bo": (D("6.44"), D("8.08")), "Cai": (D("5.70"), D("7.26")),
    }  # fmt: skip
    assert found.sums["gross"] == "23.32"
    assert found.sums["lines"]["shared"] == {"kwh": "2.300000", "amount": "0.28"}
    assert found.sums["lines"]["given"] == {"kwh": "2.300000", "amount": "-0.28"}
    # alone Aino: 1.8 kWh at 0.27, each part in cents (0.36, 0.09, 0.04), base 6, tax 25.5 % of 6.49 (1.65495)
    assert found.statements.get(participant__name="Aino").alone == D("8.14")
    notice = Notice.objects.get(person=neighbour)
    assert notice.text == "Your statement of June 2026 from Our street is there."
    assert notice.url == "/energy/street/bills/1/"
    # a second time nothing is new
    assert settle(street) is None
    assert Statement.objects.count() == 3


def test_it_can_be_worked_out_again_and_never_changed(street: Community, three: dict[str, MeterPoint]) -> None:
    found = settle(street)
    assert found is not None
    told = finish(statements.ask_check(settlement=found)).result or {}
    assert (told["same"], told["differences"], told["newer_readings"]) == (True, [], False)
    for change in (
        lambda: Statement.objects.update(gross=1),
        lambda: StatementLine.objects.filter(position=0).delete(),
        lambda: Settlement.objects.update(inputs_sha256="0"),
        lambda: TariffVersion.objects.update(energy_price=1),
        lambda: TariffVersion.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    with pytest.raises(errors.TermsInUse):
        tariffs.take_back(version=TariffVersion.objects.get())


def test_a_late_reading_is_a_new_statement_that_names_the_old(street: Community, three: dict[str, MeterPoint]) -> None:
    """B's quarter 12 comes as 1.3 instead of 0.3, when the roof gave nothing: one kWh more from the grid, B's alone.

    B: energy 2.05 at 0.20 = 0.41, grid fee 0.1025, levies 0.041. All exact sums: grid fee 0.15, of which A and C keep 0.03 and 0.02,
    so B has 0.10; levies 0.06, of which A keeps 0.01 and C 0.01, so 0.04.
    """  # noqa: E501
    first = settle(street)
    assert first is not None
    row = [0.0] * 96
    row[10], row[11], row[12] = 1.5, 0.2, 1.3
    keep_day(three["B"], JUNE, row)
    told = finish(statements.ask_check(settlement=first)).result or {}
    assert (told["same"], told["newer_readings"]) == (True, True)
    second = settle(street)
    assert second is not None
    new = second.statements.get()
    assert (new.participant.name, new.number) == ("Bo", 4)
    assert new.corrects == first.statements.get(participant__name="Bo")
    amounts = {line.code: line.amount for line in new.lines.all()}
    assert (amounts["energy"], amounts["grid_fee"], amounts["levies"]) == (D("0.41"), D("0.10"), D("0.04"))
    assert second.sums["members"] == 3
    standing = Statement.objects.filter(corrected_by=None)
    assert str(sum(s.gross for s in standing)) == second.sums["gross"]
    assert settle(street) is None


def test_gaps_are_listed_cost_nothing_and_are_billed_when_they_come(
    street: Community, three: dict[str, MeterPoint]
) -> None:
    row = [0.0] * 96
    row[10], row[11], row[12] = 0.5, 1.0, math.nan
    keep_day(three["A"], JUNE, row)
    found = settle(street)
    assert found is not None
    mine = found.statements.get(participant__name="Aino")
    assert (mine.missing_steps, mine.gaps, mine.use_kwh) == (1, [["2026-06-01", 1]], D("1.5"))
    row[12] = 0.3
    keep_day(three["A"], JUNE, row)
    later = settle(street)
    assert later is not None
    new = later.statements.get(participant__name="Aino")
    assert (new.corrects, new.missing_steps, new.use_kwh) == (mine, 0, D("1.8"))


@pytest.mark.parametrize(("month", "quarters"), [("2026-03", 31 * 96 - 4), ("2026-10", 31 * 96 + 4)])
def test_a_month_in_which_clocks_change(street: Community, month: str, quarters: int) -> None:
    """A quarter kWh in each quarter that there is: 23 or 25 hours on the day, and the base fee is for a whole month."""
    person = home(street, "Aino")
    mine = meter(person)
    first, until = statements.month_of(month)
    day = first
    while day < until:
        count = {dt.date(2026, 3, 29): 92, dt.date(2026, 10, 25): 100}.get(day, 96)
        keep_day(mine, day, [0.25] * count)
        day += dt.timedelta(days=1)
    tariffs.add_tariff_version(
        community=street, name="City power", currency="EUR", valid_from=dt.date(2026, 1, 1), **PRICES
    )
    tariffs.add_scheme_version(
        community=street, law="at-local", key="dynamic", price=D("0.12"), valid_from=dt.date(2026, 1, 1)
    )
    found = settle(street, month)
    assert found is not None
    statement = found.statements.get()
    assert (found.steps, statement.steps, statement.missing_steps) == (quarters, quarters, 0)
    assert statement.use_kwh == D(quarters) / 4
    lines = {line.code: line.amount for line in statement.lines.all()}
    assert lines["energy"] == (D(quarters) / 4 * D("0.20")).quantize(D("0.01"))
    assert lines["base"] == D("6.00")
    changed = {"2026-03": ("2026-03-29", 23.0), "2026-10": ("2026-10-25", 25.0)}[month]
    assert [day[1] for day in statement.days if day[0] == changed[0]] == [changed[1]]


def test_a_price_that_changes_and_rules_that_change(street: Community, three: dict[str, MeterPoint]) -> None:
    """From 16 June the energy costs 0.30 and the base fee 12: half of each month's fee. A draws 1 kWh on the 20th."""
    tariffs.add_tariff_version(
        community=street, name="City power", currency="EUR", valid_from=dt.date(2026, 6, 16),
        **PRICES | {"energy_price": D("0.30"), "base_fee": D("12")},
    )  # fmt: skip
    keep_day(three["A"], dt.date(2026, 6, 20), [1.0] + [0.0] * 95)
    found = settle(street)
    assert found is not None
    lines = found.statements.get(participant__name="Aino").lines.all()
    told = [(x.code, x.rate, x.kwh, x.days, x.amount) for x in lines if x.code in {"energy", "base"}]
    assert told == [
        ("energy", D("0.20"), D("0.55"), 0, D("0.11")),
        ("energy", D("0.30"), D("1"), 0, D("0.30")),
        ("base", D("6"), D(0), 15, D("3.00")),
        ("base", D("12"), D(0), 15, D("6.00")),
    ]


def test_moving_out_has_a_last_statement_and_the_month_leaves_it(
    street: Community, three: dict[str, MeterPoint]
) -> None:
    leaver = three["A"].participant
    participants.leave(participant=leaver, on=dt.date(2026, 6, 11), by=None)
    finish(Run.objects.get())
    last = Statement.objects.get()
    assert (last.final, last.first_day, last.last_day) == (True, JUNE, dt.date(2026, 6, 10))
    assert last.lines.get(code="base").amount == D("2.00")
    month = settle(street)
    assert month is not None
    assert sorted(s.participant.name for s in month.statements.all()) == ["Bo", "Cai"]
    assert month.sums["members"] == 3
    standing = Statement.objects.filter(corrected_by=None)
    assert str(sum(s.gross for s in standing)) == month.sums["gross"]
    # what the law lets delete goes, what the statement was made of stays
    leaver.refresh_from_db()
    keep_day(three["A"], dt.date(2026, 2, 1), [1.0] * 96)
    # 1 February, and the 20 days of June on which they were gone
    assert participants.forget(participant=leaver, by=None) == 21
    told = finish(statements.ask_check(settlement=last.settlement)).result or {}
    assert told["same"]
    assert Statement.objects.get(pk=last.pk).payer == "Aino"


def test_prices_of_an_exchange_and_hours_without_one(street: Community, three: dict[str, MeterPoint]) -> None:
    """June 1 begins in Helsinki at 21:00 UTC of 31 May, so quarters 10, 11, 12 are 23:30, 23:45 and 00:00 UTC."""
    prices = tariffs.price_list(community=street, name="Exchange", currency="EUR")
    text = "time,price_eur_mwh\n2026-05-31T23:00+00:00,100\n2026-06-01T00:00+00:00,\n2026-06-01T01:00+00:00,40\n"
    assert tariffs.keep_prices(prices=prices, text=text)["missing"] == 23 + 23
    tariffs.add_tariff_version(
        community=street,
        name="City power",
        currency="EUR",
        valid_from=JUNE,
        price_list=prices,
        markup=D("0.01"),
        **PRICES,
    )
    found = settle(street)
    assert found is not None
    lines = {x.code: x for x in found.statements.get(participant__name="Aino").lines.all()}
    # 0.25 + 0 kWh from the grid at 0.11; 0.3 kWh at midnight have no price, so 0.20
    assert (lines["energy"].kwh, lines["energy"].rate, lines["energy"].exact) == (D("0.25"), None, D("0.0275"))
    assert (lines["energy_no_price"].kwh, lines["energy_no_price"].amount) == (D("0.3"), D("0.06"))
    # the list changes later: what was stated can still be worked out again
    tariffs.keep_prices(prices=prices, text=text.replace(",100", ",900"))
    assert PriceDay.objects.filter(current=False).count() == 1
    told = finish(statements.ask_check(settlement=found)).result or {}
    assert told["same"]


def test_what_cannot_be_settled_says_why(street: Community, three: dict[str, MeterPoint]) -> None:
    with pytest.raises(errors.BadPeriod, match="no month"):
        statements.ask_statements(community=street, month="2026-13")
    with pytest.raises(errors.BadPeriod, match="not over"):
        statements.ask_statements(community=street, month="2999-01")
    run = finish(statements.ask_statements(community=street, month="2025-06"))
    assert (run.status, run.error_code) == (Run.Status.FAILED, "energy:bad-period")
    with pytest.raises(errors.BadTerms, match="earliest"):
        tariffs.add_scheme_version(
            community=street, law="de-42c", key="dynamic", price=D("0.1"), valid_from=dt.date(2026, 5, 31)
        )
    with pytest.raises(errors.BadTerms, match="100 %"):
        tariffs.add_scheme_version(
            community=street, law="pooling", key="static", price=D("0.1"), valid_from=JULY,
            shares={str(three["A"].participant_id): "0.6", str(three["B"].participant_id): "0.5"},
        )  # fmt: skip
    with pytest.raises(errors.TermsInUse):
        tariffs.add_tariff_version(
            community=street, name="City power", currency="EUR", valid_from=dt.date(2026, 1, 1), **PRICES
        )


def test_the_clock_makes_last_months(
    street: Community, three: dict[str, MeterPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.timezone, "now", lambda: dt.datetime(2026, 7, 3, 9, tzinfo=dt.UTC))
    assert tasks.monthly() == 1
    finish(Run.objects.get())
    assert Statement.objects.count() == 3
    assert tasks.monthly() == 0


def test_feeds_are_kept_and_their_troubles_shown(street: Community) -> None:
    prices = tariffs.price_list(community=street, name="Feed", currency="EUR", feed="https://prices.example/day.json")
    told = b'{"unix_seconds": [1767225600, 1767229200], "price": [50.0, null], "unit": "EUR / megawatt_hour"}'
    assert feeds.ask(prices=prices, fetch=lambda _url: told)
    day = PriceDay.objects.get()
    assert (day.day, day.step_minutes, series.unpack(day.packed)[0]) == (dt.date(2026, 1, 1), 60, 0.05)
    assert not feeds.ask(prices=prices, fetch=lambda _url: b"<html>")
    prices.refresh_from_db()
    assert prices.trouble.startswith("Line 1")


def test_who_may_see_which_page(
    client: Client, street: Community, three: dict[str, MeterPoint], steward: User, neighbour: User
) -> None:
    """Role by route: a statement is its member's; stewards see sums; others do not even see that there are bills."""
    settle(street)
    stranger = create_user(username="ville", name="Ville", password="a long pass phrase")
    friend = create_user(username="kaisa", name="Kaisa", password="a long pass phrase")
    aino, other = three["A"].participant, three["B"].participant
    aino.viewers.add(friend)
    other.person = stranger2 = create_user(username="bo", name="Bo", password="a long pass phrase")
    other.save()
    mine = Statement.objects.get(participant=aino).number
    base = "/energy/street"
    roles: dict[str, User | None] = {
        "anonymous": None, "stranger": stranger, "member": neighbour, "viewer": friend, "other": stranger2,
        "steward": steward,
    }  # fmt: skip
    reads = {
        f"{base}/tariffs/": {"anonymous", "stranger", "member", "viewer", "other", "steward"},
        f"{base}/bills/": {"member", "viewer", "other", "steward"},
        f"{base}/bills/{mine}/": {"member", "viewer"},
        f"{base}/bills/{mine}.pdf": {"member", "viewer"},
        f"{base}/bills/{mine}.csv": {"member", "viewer"},
        f"{base}/worth/": {"member", "viewer", "other"},
        "/api/v1/communities/street/tariffs/": {"anonymous", "stranger", "member", "viewer", "other", "steward"},
        f"/api/v1/communities/street/statements/{mine}/": {"member", "viewer"},
        "/api/v1/communities/street/settlements/": {"steward"},
    }  # fmt: skip
    writes = {
        f"{base}/bills/make/": {"month": "2026-06"},
        f"{base}/bills/months/1/check/": {},
        f"{base}/tariffs/add/": {},
        f"{base}/tariffs/rules/": {},
        f"{base}/tariffs/prices/": {},
        f"{base}/tariffs/tariff/{TariffVersion.objects.get().pk}/take-back/": {},
    }
    for role, person in roles.items():
        client.logout()
        if person:
            client.force_login(person)
        for url, allowed in reads.items():
            expected = 200 if role in allowed else 401 if url.startswith("/api") and person is None else 404
            assert client.get(url).status_code == expected, (role, url)
        for url, data in writes.items():
            status = client.post(url, data).status_code
            if role == "steward":
                assert status in {302, 400, 409}, (role, url, status)
            else:
                assert status == (302 if person is None else 404), (role, url, status)
                assert TariffVersion.objects.count() == 1
    assert Run.objects.filter(owner=steward).count() == 2
    page = client.get(f"{base}/bills/").content.decode()
    assert "Aino" not in page
    client.force_login(neighbour)
    assert "Cai" not in client.get(f"{base}/bills/").content.decode()


def test_the_statement_on_page_paper_and_as_table(
    client: Client, street: Community, three: dict[str, MeterPoint], neighbour: User
) -> None:
    settle(street)
    client.force_login(neighbour)
    page = client.get("/energy/street/bills/1/").content.decode()
    assert "To pay: 7.98" in page
    assert "Power from the community" in page
    table = client.get("/energy/street/bills/1.csv").getvalue().decode().splitlines()
    assert table[0] == "line,from,until,kwh,days,rate,amount,tax_pct,exact"
    assert table[1] == "Power from the grid,2026-06-01,2026-06-30,0.550000,,0.200000,0.11,25.50,0.110000000000"
    assert table[-1] == "To pay,2026-06-01,2026-06-30,,,,7.98,,"
    paper = client.get("/energy/street/bills/1.pdf").content
    assert paper == client.get("/energy/street/bills/1.pdf").content
    words = read_pdf(paper)
    assert b"/Lang (en)" in paper
    assert "Power from the community" in words
    assert "7.98\xa0€" in words
    answer = client.get("/api/v1/communities/street/statements/1/").json()
    assert (answer["gross"], answer["lines"][0]["amount"]) == ("7.98", "0.11")
    own = client.get("/api/v1/communities/street/statements/").json()
    assert [row["number"] for row in own["results"]] == [1]


def read_pdf(paper: bytes) -> list[str]:
    """The texts of a PDF as a reader finds them: by the table of objects at its end and the letters of each face."""
    start = int(paper.rsplit(b"startxref", 1)[1].split()[0])
    assert paper[start : start + 4] == b"xref"
    entries = paper[start:].split(b"trailer")[0].splitlines()[2:]
    objects = {n: paper[int(entry[:10]) :] for n, entry in enumerate(entries) if not entry.strip().endswith(b"f")}
    for number, body in objects.items():
        assert body.startswith(f"{number} 0 obj".encode())

    def stream(number: int) -> bytes:
        head, rest = objects[number].split(b"stream\n", 1)
        length = re.search(rb"/Length (\d+)", head)
        assert length is not None
        data = rest[: int(length[1])]
        return zlib.decompress(data) if b"FlateDecode" in head else data

    def letters(face: int) -> dict[int, str]:
        table = re.search(rb"/ToUnicode (\d+) 0 R", objects[face].split(b"endobj")[0])
        assert table is not None
        pairs = re.findall(r"<(\w{4})> <(\w+)>", stream(int(table[1])).split(b"beginbfchar")[1].decode())
        return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}

    faces = {name: letters(int(face)) for name, face in set(re.findall(rb"(/F\d+) (\d+) 0 R", paper))}
    found = []
    for page in re.findall(rb"/Contents (\d+) 0 R", paper):
        face = b""
        shown = rb"BT (/F\d+) [\d.]+ Tf ET|BT [\d. -]+ Td \(((?:\\.|[^\\)])*)\) Tj ET"
        for setting, text in re.findall(shown, stream(int(page)), re.DOTALL):
            face = setting or face
            if not setting:
                codes = re.sub(rb"\\(.)", lambda m: b"\r" if m[1] == b"r" else m[1], text, flags=re.DOTALL)
                pairs = zip(codes[::2], codes[1::2], strict=True)
                found.append("".join(faces[face][256 * high + low] for high, low in pairs))
    return found


def test_the_market_view(client: Client, street: Community, three: dict[str, MeterPoint], neighbour: User) -> None:
    """A alone: 1.8 kWh at 0.27 with 25.5 % is 0.61; in the community 0.55 at 0.27 and 1.25 at 0.12, 0.0215 and 0.02."""
    prices = PriceList.objects.create(community=street, name="Exchange")
    days = [JUNE + dt.timedelta(days=d) for d in range(-1, 31)]
    hours = "\n".join(f"{day}T{h:02d}:00Z,{h}" for day in days for h in range(24))
    tariffs.keep_prices(prices=prices, text="time,price_eur_mwh\n" + hours)
    finish(market.ask_market(participant=three["A"].participant))
    view = MarketView.objects.get()
    costs = {case["name"]: case["cost"] for case in view.result["cases"]}
    assert costs["fixed"] == pytest.approx(1.8 * 0.27 * 1.255, abs=0.005)
    assert costs["fixed-shared"] == pytest.approx((0.55 * 0.27 + 1.25 * (0.12 + 0.0215 + 0.02)) * 1.255, abs=0.005)
    # 0.5 + 1 kWh at 23 EUR/MWh and 0.3 at nothing, with the fees
    assert costs["dynamic"] == pytest.approx((1.5 * 0.023 + 1.8 * 0.07) * 1.255, abs=0.005)
    assert costs["dynamic-battery"] <= costs["dynamic"]
    assert costs["fixed-battery"] == pytest.approx(costs["fixed"], abs=0.005)
    client.force_login(neighbour)
    page = client.get("/energy/street/worth/").content.decode()
    assert "In the community" in page
    assert client.post("/energy/street/worth/ask/", {"who": three["B"].participant_id}).status_code == 404
    assert client.post("/energy/street/worth/ask/", {"who": three["A"].participant_id}).status_code == 302
