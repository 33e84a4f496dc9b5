"""A participant's own tariff: from a day on, in statements and comparisons, never under what was billed; who may."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client

from commons.people.models import User
from commons.people.services import create_user
from energy import errors
from energy.models import Community, MeterPoint, Statement, TariffChoice
from energy.queries import choices as reads
from energy.queries.statements import terms_of
from energy.services import choices, tariffs

from .test_statements import PRICES, settle, steward, street, three

D = Decimal
__all__ = ["steward", "street", "three"]
pytestmark = pytest.mark.django_db(transaction=True)
MAY, JUNE, MIDDLE = dt.date(2026, 5, 1), dt.date(2026, 6, 1), dt.date(2026, 6, 16)


@pytest.fixture
def green(street: Community, three: dict[str, MeterPoint]) -> None:
    """Another tariff, from May on, whose energy costs 0.10 more and whose base fee is twice as high."""
    dearer = PRICES | {"energy_price": PRICES["energy_price"] + D("0.10"), "base_fee": D("12")}
    tariffs.add_tariff_version(community=street, name="Green", currency="EUR", valid_from=MAY, **dearer)


def test_a_choice_bills_its_days_and_then_stays(
    street: Community, three: dict[str, MeterPoint], green: None, neighbour: User
) -> None:
    """Aino chooses from the middle of June: half a month of each base fee, 3 and 6, and 0.36 of energy."""
    aino = three["A"].participant
    before = choices.choose_tariff(
        participant=aino, tariff=street.tariffs.get(name="Green"), since=MIDDLE, by=neighbour
    )
    settle(street)
    mine = Statement.objects.get(participant=aino)
    assert (mine.net, mine.gross) == (D("9.36"), D("11.75"))
    assert [(x.first_day, x.last_day) for x in mine.lines.filter(code="base").order_by("first_day")] == [
        (JUNE, MIDDLE - dt.timedelta(days=1)), (MIDDLE, dt.date(2026, 6, 30)),
    ]  # fmt: skip
    bo = Statement.objects.get(participant=three["B"].participant)
    assert {v.tariff.name for v in terms_of(mine)[0]} == {"Green", "City power"}
    assert [v.tariff.name for v in terms_of(bo)[0]] == ["City power"]
    usual = street.tariffs.get(usual=True)
    for since in (JUNE, MIDDLE, dt.date(2026, 6, 30)):
        with pytest.raises(errors.TermsInUse):
            choices.choose_tariff(participant=aino, tariff=usual, since=since, by=neighbour)
    with pytest.raises(errors.TermsInUse):
        choices.take_back_choice(participant=aino, number=before.pk, by=neighbour)
    later = choices.choose_tariff(participant=aino, tariff=usual, since=dt.date(2026, 7, 1), by=neighbour)
    assert reads.version_on(aino, dt.date(2026, 6, 30)).tariff.name == "Green"
    assert reads.version_on(aino, dt.date(2026, 7, 1)).tariff.name == "City power"
    choices.take_back_choice(participant=aino, number=later.pk, by=neighbour)
    assert TariffChoice.objects.get() == before


def test_the_energy_is_billed_by_the_chosen_tariff(
    street: Community, three: dict[str, MeterPoint], green: None, neighbour: User
) -> None:
    """0.55 kWh from the grid cost 0.055 more, in cents of its line, with 25.5 % tax; others pay as before."""
    aino = three["A"].participant
    choices.choose_tariff(participant=aino, tariff=street.tariffs.get(name="Green"), since=JUNE, by=neighbour)
    settle(street)
    mine = Statement.objects.get(participant=aino)
    assert mine.lines.get(code="energy").exact == D("0.55") * (PRICES["energy_price"] + D("0.10"))
    assert Statement.objects.get(participant=three["B"].participant).gross == D("8.08")


def test_what_cannot_be_chosen(street: Community, three: dict[str, MeterPoint], green: None, neighbour: User) -> None:
    aino, found = three["A"].participant, street.tariffs.get(name="Green")
    for since, words in ((dt.date(2026, 4, 30), "prices from"), (dt.date(2025, 12, 31), "prices from")):
        with pytest.raises(errors.BadTerms, match=words):
            choices.choose_tariff(participant=aino, tariff=found, since=since, by=neighbour)
    tariffs.add_tariff_version(community=street, name="Old", currency="EUR", valid_from=dt.date(2020, 1, 1), **PRICES)
    with pytest.raises(errors.BadTerms, match="membership"):
        choices.choose_tariff(
            participant=aino, tariff=street.tariffs.get(name="Old"), since=dt.date(2025, 12, 31), by=neighbour
        )
    tariffs.add_tariff_version(community=street, name="Kronor", currency="SEK", valid_from=MAY, **PRICES)
    with pytest.raises(errors.BadTerms, match="currency"):
        choices.choose_tariff(participant=aino, tariff=street.tariffs.get(name="Kronor"), since=JUNE, by=neighbour)
    assert not TariffChoice.objects.exists()


def test_who_may_see_and_choose(
    client: Client, street: Community, three: dict[str, MeterPoint], green: None, neighbour: User, steward: User
) -> None:
    """Role by route: the member chooses, whom they allow look, stewards choose for those who have nobody alone."""
    aino, bo = three["A"].participant, three["B"].participant
    friend = create_user(username="kaisa", name="Kaisa", password="a long pass phrase")
    stranger = create_user(username="ville", name="Ville", password="a long pass phrase")
    aino.viewers.add(friend)
    roles = {"anonymous": None, "stranger": stranger, "member": neighbour, "viewer": friend, "steward": steward}
    sees = {(aino.pk, "member"), (aino.pk, "viewer"), (bo.pk, "steward")}
    chooses = {(aino.pk, "member"), (bo.pk, "steward")}
    green_pk = street.tariffs.get(name="Green").pk
    for role, person in roles.items():
        client.logout()
        if person:
            client.force_login(person)
        for pk in (aino.pk, bo.pk):
            page = f"/energy/street/members/{pk}/tariff/"
            api = f"/api/v1/communities/street/participants/{pk}/tariffs/"
            seen, may = (pk, role) in sees, (pk, role) in chooses
            assert client.get(page).status_code == (200 if seen else 302 if person is None else 404), (role, pk)
            assert client.get(api).status_code == (200 if seen else 401 if person is None else 404), (role, pk)
            form = {"tariff": green_pk, "since": "2026-06-01"}
            answer = client.post(page, form)
            assert answer.status_code == (302 if may or person is None else 404), (role, pk)
            assert TariffChoice.objects.filter(participant=pk).exists() == may
            number = getattr(TariffChoice.objects.filter(participant=pk).first(), "pk", 1)
            gone = client.delete(f"{api}{number}/").status_code
            assert gone == (204 if may else 401 if person is None else 404), (role, pk)
            told = client.post(api, {"tariff": "Green", "since": "2026-06-02"}, content_type="application/json")
            assert told.status_code == (201 if may else 401 if person is None else 404), (role, pk, told.content)
            TariffChoice.objects.all().delete()


def test_the_page_says_which_holds(
    client: Client, street: Community, three: dict[str, MeterPoint], green: None, neighbour: User
) -> None:
    aino = three["A"].participant
    client.force_login(neighbour)
    page = f"/energy/street/members/{aino.pk}/tariff/"
    assert "usual one" in client.get(page).content.decode()
    bad = client.post(page, {"tariff": street.tariffs.get(name="Green").pk, "since": "2026-04-01"})
    assert bad.status_code == 400
    assert "prices from" in bad.content.decode()
    client.post(page, {"tariff": street.tariffs.get(name="Green").pk, "since": "2026-06-01"})
    assert "Green" in client.get(f"/energy/street/members/{aino.pk}/").content.decode()
    assert client.post(page, {"take-back": "²"}).status_code == 200, "nothing that could be taken back"
    number = TariffChoice.objects.get().pk
    assert client.post(page, {"take-back": number}).status_code == 302
    assert not TariffChoice.objects.exists()
