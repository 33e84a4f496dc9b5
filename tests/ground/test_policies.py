"""Who may do what on the ground: organisations, devices, runs and reports, everybody against every rule."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from commons.devices import policies as devices
from commons.devices import services as device_services
from commons.errors import NotAllowed
from commons.people import policies as people_rules
from commons.people.errors import NotYourOrganisation
from commons.people.models import Membership, Organisation
from commons.people.services import create_user
from commons.reports import policies as reports
from commons.reports.errors import NotModerator
from commons.reports.models import Case
from commons.runs import policies as runs
from commons.runs.models import Run
from tests.cast import ROLES, Cast, cast, closed, organisation, who, who_is_not_refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Organisation:
    return organisation("town", Organisation.Kind.CITY)


@pytest.fixture
def people(city: Organisation) -> Cast:
    found = cast(city, gone=closed(create_user(username="the-gone")))
    Membership.objects.create(organisation=city, user=found["gone"], role="owner")
    return found


def token(scopes: Iterable[str]) -> Any:
    return SimpleNamespace(scopes=list(scopes))


def test_who_looks_after_an_organisations_people(people: Cast, city: Organisation) -> None:
    del people["gone"]
    looking_after = {"manager", "owner", "staff"}
    assert who(people, lambda one: people_rules.may_manage(one, city)) == looking_after
    heard = who_is_not_refused(people, lambda one: people_rules.check_may_manage(one, city), NotYourOrganisation)
    assert heard == looking_after


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_an_owner_makes_owners(people: Cast, city: Organisation, role: str) -> None:
    del people["gone"]
    giving = {"owner", "staff"} if role == "owner" else {"manager", "owner", "staff"}
    check = people_rules.check_may_give
    assert who_is_not_refused(people, lambda one: check(one, city, role), NotYourOrganisation) == giving


def test_a_refusal_names_the_organisation(people: Cast, city: Organisation) -> None:
    with pytest.raises(NotYourOrganisation, match="Town"):
        people_rules.check_may_manage(people["person"], city)
    with pytest.raises(NotYourOrganisation, match="Town"):
        people_rules.check_may_give(people["manager"], city, "owner")


def test_who_reads_devices(people: Cast, city: Organisation) -> None:
    del people["nobody"]
    elsewhere = Membership.objects.get(user=people["other owner"]).organisation
    made = {
        name: device_services.create_device(name=name, kind="meter", organisation=of, public=public)
        for name, of, public in (("open", city, True), ("own", city, False), ("far", elsewhere, False))
    }

    def seen(one: Any, with_token: Any = None) -> list[str]:
        return sorted(device.name for device in devices.readable_by(one, with_token) if device.pk in _keys(made))

    for name, one in people.items():
        own = ["open", "own"] if name in ROLES or name == "gone" else ["open"]
        expected = {"staff": ["far", "open", "own"], "other owner": ["far", "open"]}.get(name, own)
        assert seen(one) == expected, name
        assert seen(one, token(["energy:read"])) == expected, name
        assert seen(one, token(["energy:write"])) == expected, f"{name}: to write is to read"
        for scopes in ([], ["designs:read"], ["admin"]):
            assert seen(one, token(scopes)) == ["open"], (name, scopes)


def _keys(made: dict[str, Any]) -> set[Any]:
    return {device.pk for device in made.values()}


def test_a_device_is_read_once_however_many_belong_to_its_organisation(people: Cast, city: Organisation) -> None:
    made = device_services.create_device(name="one", kind="meter", organisation=city, public=True)
    found = list(devices.readable_by(people["member"]))
    assert found.count(made) == 1


def test_who_looks_after_reports(people: Cast) -> None:
    looking_after = {"steward", "manager", "owner", "staff", "other owner"}
    assert who(people, reports.may_moderate) == looking_after
    assert who_is_not_refused(people, reports.check_may_moderate, NotModerator) == looking_after
    assert who(people, lambda one: reports.may_decide(one, Case(author=people["person"]))) == looking_after
    own = Case(author=people["steward"])
    assert who(people, lambda one: reports.may_decide(one, own)) == looking_after - {"steward"}


@pytest.mark.parametrize("role", ["steward", "manager", "owner"])
def test_who_runs_a_lab_does_not_look_after_reports(role: str) -> None:
    one = create_user(username="lab-person")
    Membership.objects.create(organisation=organisation("a-lab"), user=one, role=role)
    assert not reports.may_moderate(one)


def test_who_stops_a_run(people: Cast) -> None:
    del people["nobody"]
    run = Run(kind="energy.simulate", owner=people["person"])
    assert who(people, lambda one: runs.may_cancel(one, run)) == {"person", "staff"}
    assert who(people, lambda one: runs.may_cancel(one, Run(kind="x.y"))) == {"staff"}
    assert who_is_not_refused(people, lambda one: runs.check_may_cancel(one, run), NotAllowed) == {"person", "staff"}


@pytest.mark.parametrize(
    ("scopes", "seen", "rooms"),
    [
        (["energy:read"], {"energy"}, set()),
        (["energy:write", "designs:read"], {"energy", "designs"}, {"energy"}),
        (["bookings:write"], {"labs"}, {"labs"}),
        ([], set(), set()),
        (["admin"], None, None),
        (["energy:read", "admin"], None, None),
    ],
)
def test_a_token_stops_runs_of_the_rooms_in_which_it_does_more_than_read(
    people: Cast, scopes: list[str], seen: set[str] | None, rooms: set[str] | None
) -> None:
    assert runs.rooms_of(token(scopes)) == seen
    assert runs.rooms_of(token(scopes), changing=True) == rooms
    for room in ("energy", "designs", "labs"):
        run = Run(kind=f"{room}.simulate.again", owner=people["person"])
        good = who_is_not_refused(
            {"person": people["person"]},
            lambda one, run=run: runs.check_may_cancel(one, run, token=token(scopes)),
            NotAllowed,
        )
        assert good == ({"person"} if rooms is None or room in rooms else set()), room
    assert runs.rooms_of(None) is None


def test_the_refusal_of_a_token_names_the_room(people: Cast) -> None:
    run = Run(kind="energy.simulate", owner=people["person"])
    with pytest.raises(NotAllowed, match="“energy”"):
        runs.check_may_cancel(people["person"], run, token=token(["labs:read"]))
