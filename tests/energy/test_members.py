"""Getting in and out: invitations, proof of meters, who may see, leaving and being forgotten; role by route."""

import datetime as dt
import math
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from commons.people import leaving as city_leaving
from commons.people.models import Membership, User
from commons.people.services import create_organisation, create_user, set_role
from commons.places.models import Place
from energy import errors, policies, series
from energy.models import Community, Invitation, MeterDay, MeterPoint, Participant
from energy.queries import participants as reads
from energy.services import assets, founding, meters, participants

pytestmark = pytest.mark.django_db
JUNE = dt.date(2026, 6, 1)


@pytest.fixture(autouse=True)
def in_june(monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime(2026, 6, 20, 10, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)


def person(name: str, **more: object) -> User:
    return create_user(username=name, name=name.title(), email=f"{name}@example.org", **more)


@pytest.fixture
def steward(db: None) -> User:
    return person("stella")


@pytest.fixture
def street(steward: User, kamppi: Place) -> Community:
    return founding.found_community(by=steward, name="Our street", place=kamppi, kind="local")


@pytest.fixture
def aino(street: Community, steward: User) -> Participant:
    """A home with a proved meter that measured 1 and 2 June, the second with a gap of six quarters."""
    _invitation, code = participants.invite(community=street, by=steward, name="Aino")
    mine = participants.join(code=code, by=person("aino"), name="Aino, 3rd floor", joined_on=JUNE, address="Katu 1")
    assert mine.person is not None
    meter = meters.add_meter(participant=mine, by=mine.person, number="FI 12-34 5678")
    meters.vouch(meter=meter, by=steward)
    for i, values in enumerate(([0.25] * 96, [math.nan if k < 6 else 0.25 for k in range(96)])):
        day = JUNE + dt.timedelta(days=i)
        packed = series.pack(values)
        missing = sum(map(math.isnan, values))
        MeterDay.objects.create(
            meter=meter, day=day, step_minutes=15, packed=packed, kwh=(96 - missing) / 4, missing=missing, source="file"
        )
    return mine


def owner(of: Participant) -> User:
    assert of.person is not None
    return of.person


def test_who_founds_a_community_looks_after_it(street: Community, steward: User) -> None:
    assert street.slug == "our-street"
    assert street.organisation is not None
    assert policies.is_steward(steward, street)
    assert not policies.is_steward(person("bo"), street)
    assert founding.stewards(street) == [steward]


@pytest.mark.parametrize(("name", "slug"), [("", ""), ("Fine", "no spaces"), ("Join", "join"), ("X", "")])
def test_names_and_addresses_that_cannot_be(steward: User, kamppi: Place, name: str, slug: str) -> None:
    with pytest.raises(errors.BadCommunity):
        founding.found_community(by=steward, name=name, slug=slug, place=kamppi)
    assert not Community.objects.exists()


def test_an_address_is_taken_once(street: Community, kamppi: Place) -> None:
    with pytest.raises(errors.AlreadyIn):
        founding.found_community(by=person("bo"), name="Our street", place=kamppi)
    other = create_organisation(handle="others", name="Others", kind="community", founder=person("cy"))
    with pytest.raises(Exception, match="owners and managers"):
        founding.found_community(by=User.objects.get(username="bo"), name="Two", place=kamppi, organisation=other)


def test_a_letter_by_mail_leads_in_once(
    street: Community, steward: User, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        made, code = participants.invite(community=street, by=steward, name="Bo", email="Bo@Example.org")
    assert mail.outbox[0].to == ["bo@example.org"]
    assert f"/energy/join/?code={code}" in mail.outbox[0].body
    assert code.encode() not in bytes(made.sha256)
    home = participants.join(code=code.lower().replace("-", " "), by=person("bo"), name="Bo")
    made.refresh_from_db()
    assert (made.participant, made.email) == (home, "")
    with pytest.raises(errors.BadInvitation):
        participants.join(code=code, by=person("cy"), name="Cy")


def test_invitations_run_out_are_taken_back_and_printed_again(street: Community, steward: User) -> None:
    bo = person("bo")
    made, code = participants.invite(community=street, by=steward, email="x@example.org")
    again = participants.renew_invitation(invitation=made, by=steward)
    for dead in (code, "", "ABCD-ABCD-ABCD-ABCD"):
        with pytest.raises(errors.BadInvitation):
            participants.join(code=dead, by=bo, name="Bo")
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(hours=1))
    with pytest.raises(errors.BadInvitation):
        participants.join(code=again, by=bo, name="Bo")
    assert participants.forget_invitations() == 1
    assert Invitation.objects.get().email == ""
    other, third = participants.invite(community=street, by=steward)
    participants.take_back(invitation=other, by=steward)
    with pytest.raises(errors.BadInvitation):
        participants.join(code=third, by=bo, name="Bo")
    with pytest.raises(errors.NotSteward):
        participants.invite(community=street, by=bo)


def test_a_person_joins_once_and_not_without_a_name(aino: Participant, street: Community, steward: User) -> None:
    for name, refusal in (("Aino again", errors.AlreadyIn), ("  ", errors.BadParticipant)):
        made, code = participants.invite(community=street, by=steward)
        with pytest.raises(refusal):
            participants.join(code=code, by=owner(aino), name=name)
        made.refresh_from_db()
        assert made.is_open()


def test_a_letter_proves_a_meter_and_ten_wrong_codes_end_it(aino: Participant, steward: User) -> None:
    meter = meters.add_meter(participant=aino, by=owner(aino), number="FI12345678", direction="feed_in")
    with pytest.raises(errors.WrongCode, match="No letter"):
        meters.prove_by_letter(meter=meter, by=owner(aino), code="")
    code = meters.write_letter(meter=meter, by=steward)
    with pytest.raises(errors.NotSteward):
        meters.prove_by_letter(meter=meter, by=steward, code=code)
    for _try in range(10):
        with pytest.raises(errors.WrongCode, match="not the code"):
            meters.prove_by_letter(meter=meter, by=owner(aino), code="WRONG")
    with pytest.raises(errors.WrongCode, match="Too many"):
        meters.prove_by_letter(meter=meter, by=owner(aino), code=code)
    code = meters.write_letter(meter=meter, by=steward)
    assert meters.prove_by_letter(meter=meter, by=owner(aino), code=code.lower()).proof == "letter"
    meter.refresh_from_db()
    assert meter.letter_sha256 is None


def test_a_meter_is_proved_for_one_home_and_passes_on_with_the_flat(
    aino: Participant, street: Community, steward: User
) -> None:
    _i, code = participants.invite(community=street, by=steward)
    next_one = participants.join(code=code, by=person("bo"), name="Bo", joined_on=JUNE + dt.timedelta(days=14))
    meter = meters.add_meter(participant=next_one, by=owner(next_one), number="FI12345678")
    with pytest.raises(errors.AlreadyIn, match="somebody else's"):
        meters.vouch(meter=meter, by=steward)
    heard: list[tuple[int, dt.date | None]] = []
    participants.on_leaving.append(lambda p: heard.append((p.pk, p.left_on)))
    try:
        participants.leave(participant=aino, on=JUNE + dt.timedelta(days=14), by=owner(aino))
    finally:
        participants.on_leaving.pop()
    assert heard == [(aino.pk, JUNE + dt.timedelta(days=14))]
    assert meters.vouch(meter=meter, by=steward).proved
    assert aino.meters.get().valid_until == JUNE + dt.timedelta(days=14)


def test_a_hook_that_refuses_keeps_the_member_in(aino: Participant, steward: User) -> None:
    def refuse(_participant: Participant) -> None:
        raise errors.BadParticipant("not yet")

    participants.on_leaving.append(refuse)
    try:
        with pytest.raises(errors.BadParticipant):
            participants.leave(participant=aino, on=JUNE + dt.timedelta(days=5), by=steward)
    finally:
        participants.on_leaving.pop()
    aino.refresh_from_db()
    assert aino.left_on is None
    assert aino.meters.get().valid_until is None


def test_assets_have_defaults_and_limits(aino: Participant, steward: User) -> None:
    roof = assets.add_asset(participant=aino, by=owner(aino), kind="solar", kwp=4.2)
    assert (roof.tilt_deg, roof.azimuth_deg) == (30.0, 180.0)
    store = assets.add_asset(participant=aino, by=owner(aino), kind="battery", kwh=10)
    assert (store.kw, store.efficiency) == (5.0, 0.9)
    for kind, figures in (
        ("solar", {}),
        ("solar", {"kwp": 1e9}),
        ("solar", {"kwp": math.nan}),
        ("solar", {"kwp": 4, "tilt_deg": 120}),
        ("battery", {"kwh": -1}),
        ("reactor", {"kw": 5}),
        ("solar", {"kwp": 4, "colour": 3}),
    ):
        with pytest.raises(errors.BadParticipant):
            assets.add_asset(participant=aino, by=owner(aino), kind=kind, **figures)
    with pytest.raises(errors.NotSteward):
        assets.add_asset(participant=aino, by=steward, kind="solar", kwp=4)
    assert aino.assets.count() == 2


def test_forgetting_keeps_only_days_of_statements(aino: Participant, steward: User) -> None:
    with pytest.raises(errors.BadParticipant, match="still belongs"):
        participants.forget(participant=aino, by=steward)
    participants.leave(participant=aino, on=JUNE + dt.timedelta(days=10), by=steward)
    participants.days_to_keep.append(lambda _p: [(JUNE, JUNE + dt.timedelta(days=1))])
    try:
        assert participants.forget(participant=aino, by=steward) == 1
    finally:
        participants.days_to_keep.pop()
    aino.refresh_from_db()
    assert aino.name == f"Former participant {aino.pk}"
    assert (aino.person, aino.address, aino.assets.count()) == (None, "", 0)
    assert [d.day for d in MeterDay.objects.all()] == [JUNE]


def test_who_leaves_the_city_leaves_nothing_that_names_them(aino: Participant) -> None:
    user = owner(aino)
    assert city_leaving.leave(user=user)
    aino.refresh_from_db()
    assert (aino.person, aino.left_on) == (None, dt.date(2026, 6, 20))
    assert not MeterDay.objects.exists()
    assert "Aino" not in aino.name


def test_what_is_missing_is_counted_by_day(aino: Participant) -> None:
    state = reads.meter_states(aino)[0]
    assert (state.days, state.missing_days, state.missing_steps) == (2, 1, 6)
    month = reads.months(aino)[0]
    assert month.kwh == {"use": pytest.approx(24 + 22.5)}
    assert month.missing_days == 29  # of thirty only the first is whole
    assert reads.gaps(state.meter) == [reads.Gap(JUNE + dt.timedelta(days=1), JUNE + dt.timedelta(days=1), 6, False)]


@pytest.fixture
def roles(aino: Participant, street: Community, steward: User, kamppi: Place) -> "Iterator[dict[str, User | None]]":
    """Everybody who might come: nobody, a stranger, another member, another community's steward, one who may look, the
    steward, staff, and the member."""
    _i, code = participants.invite(community=street, by=steward)
    neighbour, viewer, foreign = person("nora"), person("vera"), person("frank")
    participants.join(code=code, by=neighbour, name="Nora", joined_on=JUNE)
    participants.allow(participant=aino, by=owner(aino), username="vera")
    founding.found_community(by=foreign, name="Elsewhere", place=kamppi)
    helper = person("hal")
    assert street.organisation is not None
    set_role(organisation=street.organisation, user=helper, role=Membership.Role.MEMBER)
    yield {
        "nobody": None,
        "stranger": person("sam"),
        "member": neighbour,
        "other steward": foreign,
        "helper": helper,
        "viewer": viewer,
        "steward": steward,
        "staff": person("zoe", is_staff=True),
        "own": owner(aino),
    }


ALL = ("nobody", "stranger", "member", "other steward", "helper", "viewer", "steward", "staff", "own")
LOGIN, MISSING = 302, 404


def pages(aino: Participant) -> dict[str, dict[str, int]]:
    """Address: role: status; who is not named gets 404, nobody is sent to sign in."""
    stewards = {"steward": 200, "staff": 200}
    return {
        "/energy/our-street/members/": stewards,
        f"/energy/our-street/members/{aino.pk}/": stewards | {"viewer": 200, "own": 200},
        f"/energy/elsewhere/members/{aino.pk}/": {},
        "/energy/elsewhere/members/": {"other steward": 200, "staff": 200},
    }


def test_role_by_page(aino: Participant, roles: "dict[str, User | None]") -> None:
    for address, allowed in pages(aino).items():
        for role in ALL:
            client = Client()
            if roles[role] is not None:
                client.force_login(roles[role])
            status = client.get(address).status_code
            assert status == (LOGIN if role == "nobody" else allowed.get(role, MISSING)), (address, role)


def test_role_by_deed(aino: Participant, roles: "dict[str, User | None]") -> None:
    """Who may see curves and change what: the table of docs/energy-members.md."""
    table = {
        "sees the page": (policies.may_see_participant, {"viewer", "steward", "staff", "own"}),
        "sees quarter hours": (policies.may_see_readings, {"viewer", "own"}),
        "changes": (policies.may_change_participant, {"own"}),
    }
    for deed, (may, who) in table.items():
        assert {role for role in ALL if may(roles[role], aino)} == who, deed
    participants.let_stewards_see(participant=aino, by=owner(aino), see=True)
    aino.refresh_from_db()
    assert {r for r in ALL if policies.may_see_readings(roles[r], aino)} == {"viewer", "own", "steward", "staff"}


DEEDS = {
    "meter": {"number": "XY12345", "direction": "use"},
    "asset": {"kind": "solar", "kwp": "5"},
    "allow": {"person": "sam"},
    "stewards": {"see": "1"},
}


@pytest.mark.parametrize("do", sorted(DEEDS))
def test_only_the_household_changes_its_things(aino: Participant, roles: "dict[str, User | None]", do: str) -> None:
    address = f"/energy/our-street/members/{aino.pk}/"
    for role in ALL:
        client = Client()
        if roles[role] is not None:
            client.force_login(roles[role])
        status = client.post(address, {"do": do, **DEEDS[do]}).status_code
        seen = role in {"viewer", "steward", "staff"}
        assert status == (302 if role in {"nobody", "own"} else 403 if seen else 404), role
    assert MeterPoint.objects.filter(number="XY12345").count() == (do == "meter")


def test_only_stewards_print_letters_and_vouch(aino: Participant, roles: "dict[str, User | None]") -> None:
    meter = meters.add_meter(participant=aino, by=owner(aino), number="QQ12345")
    address = f"/energy/our-street/members/{aino.pk}/"
    for role in ALL:
        client = Client()
        if roles[role] is not None:
            client.force_login(roles[role])
        letter = client.post(f"{address}letters/{meter.pk}/")
        fine = role in {"steward", "staff"}
        assert letter.status_code == (302 if role == "nobody" else 200 if fine else 404), role
        if not fine:
            vouched = client.post(address, {"do": "vouch", "number": meter.pk}).status_code
            assert vouched == (302 if role == "nobody" else 403 if role in {"viewer", "own"} else 404), role
    meter.refresh_from_db()
    assert not meter.proved


def test_a_demonstration_lets_anybody_in_who_has_an_account_and_no_other_community_does(
    client: Client, street: Community
) -> None:
    """Its members are made up, so nobody there could write an invitation."""
    for slug in (street.slug, "no-such"):
        assert client.get("/energy/join/", {"demo": slug}).status_code == 404
    Community.objects.filter(pk=street.pk).update(demo=True)
    assert "nobody has to invite you" in client.get("/energy/join/", {"demo": street.slug}).content.decode()
    asked = client.post("/energy/join/", {"demo": street.slug, "name": "Bo"})
    assert asked.headers["Location"] == f"/account/login/?next=%2Fenergy%2Fjoin%2F%3Fdemo%3D{street.slug}"
    client.force_login(person("bo"))
    assert client.post("/energy/join/", {"demo": street.slug, "name": "Bo"}).status_code == 302
    mine = Participant.objects.get()
    assert (mine.person, mine.kind, mine.community) == (User.objects.get(username="bo"), "home", street)
    again = client.post("/energy/join/", {"demo": street.slug, "name": "Bo"})
    assert again.status_code == 409 and Participant.objects.count() == 1


def test_joining_on_the_page(client: Client, street: Community, steward: User) -> None:
    client.force_login(steward)
    sheet = client.post("/energy/our-street/members/", {"do": "invite", "i-name": "Bo", "i-kind": "home"})
    assert sheet.status_code == 200
    assert "<svg" in sheet.content.decode()
    code = sheet.context["code"]
    client.logout()
    assert "Do you join Our street?" in client.get("/energy/join/", {"code": code}).content.decode()
    assert client.get("/energy/join/", {"code": "AAAA"}).status_code == 404
    assert client.post("/energy/join/", {"code": code, "name": "Bo"}).status_code == 302
    assert not Participant.objects.exists()
    client.force_login(person("bo"))
    assert client.post("/energy/join/", {"code": code, "name": "Bo"}).status_code == 302
    mine = Participant.objects.get()
    assert client.get("/energy/our-street/home/").headers["Location"] == f"/energy/our-street/members/{mine.pk}/"
    assert "Bo" in client.get("/energy/mine/").content.decode()


def test_founding_on_the_page(client: Client, kamppi: Place) -> None:
    assert client.get("/energy/new/").status_code == 302
    client.force_login(person("bo"))
    assert client.get("/energy/new/").status_code == 200
    assert client.post("/energy/new/", {"name": "", "place": kamppi.pk, "kind": "local"}).status_code == 400
    made = client.post("/energy/new/", {"name": "Pihlaja", "place": kamppi.pk, "kind": "building", "public": "on"})
    assert made.headers["Location"] == "/energy/pihlaja/members/"
    assert client.get("/energy/pihlaja/").status_code == 200
