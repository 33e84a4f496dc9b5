"""What the public sees of a community: enough households, none that stands out, nothing to subtract; role by route."""

import datetime as dt
import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from commons.people.models import Membership, User
from commons.people.services import create_organisation, create_user, set_role
from energy import policies, publishing, services
from energy.engine.community import Community as EngineCommunity
from energy.engine.community import Member as EngineMember
from energy.models import CommunityVersion, Member, Publication
from energy.queries import live, measured, public, year

from .conftest import START, write

HOURS = 48


def made(members: "dict[str, np.ndarray]", *, step: int = 60, labs: int = 1) -> EngineCommunity:
    """Homes by name with their use, and labs of 1 kWh a step."""
    load = [*members.values(), *([np.ones(len(next(iter(members.values()))))] * labs)]
    people = [EngineMember(key, key, "home") for key in members]
    people += [EngineMember(f"lab{i}", f"Lab {i}", "lab") for i in range(labs)]
    steps = len(load[0])
    return EngineCommunity(
        name="Made up",
        currency="EUR",
        timezone="Europe/Helsinki",
        start=START,
        step_minutes=step,
        members=tuple(people),
        load_kwh=np.array(load),
        pv_kwh=np.zeros((len(load), steps)),
        import_price=np.full(steps, 0.2),
        export_price=np.full(steps, 0.05),
    )


def homes(n: int, steps: int = HOURS, seed: int = 1) -> "dict[str, np.ndarray]":
    use = np.random.default_rng(seed).uniform(0.2, 1.0, (n, steps))
    return {f"h{i:02d}": use[i] for i in range(n)}


def keep(data: EngineCommunity, slug: str = "made") -> CommunityVersion:
    sha256 = f"{random.getrandbits(256):064x}"
    version = services.keep(data=data, slug=slug, sha256=sha256)
    return CommunityVersion.objects.get(pk=version.pk)


def load_of(version: CommunityVersion, viewer: Any = None) -> list[float]:
    return list(public.curves(version, viewer, "load").get("load", []))


# --- enough households ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("households", "step", "cells"), [(14, 60, 0), (15, 60, HOURS), (29, 15, HOURS), (30, 15, 4 * HOURS)]
)
def test_how_fine_the_public_sees(db: None, households: int, step: int, cells: int) -> None:
    version = keep(made(homes(households, HOURS * 60 // step), step=step, labs=40))
    load = load_of(version)
    assert len({round(v, 9) for v in load}) <= cells
    assert bool(load) == bool(cells)
    standing = public.standing(version, None)
    assert (standing.enough, standing.curves, standing.households) == (cells > 0, cells > 0, households)
    if cells:
        whole = sum(load_of(version, User(is_staff=True, username="x")))
        assert sum(load) == pytest.approx(whole, abs=0.05 * cells + 1e-6)


def test_nobody_stands_out_of_any_cell(db: None) -> None:
    """Whatever homes use: in each published stretch of even use no home has more than 15 %, and sums are round."""
    rng = np.random.default_rng(7)
    for trial in range(6):
        use = {f"h{i}": rng.lognormal(-1, 1.2, HOURS) for i in range(15 + trial)}
        version = keep(made(use), f"t{trial}")
        households = list(public.curves(version, None, public.HOUSEHOLDS).get(public.HOUSEHOLDS, []))
        each = np.array(list(use.values()))
        if not households:
            assert each.sum(axis=1).max() > 0.15 * each.sum()
            continue
        cells = np.array(public._cells(version))
        for cell in set(cells):
            sums = each[:, cells == cell].sum(axis=1)
            assert sums.max() <= policies.LARGEST_SHARE * sums.sum() * (1 + 1e-9)
            shown = sum(h for h, c in zip(households, cells, strict=True) if c == cell)
            assert shown == pytest.approx(sums.sum(), abs=0.0501)
            assert shown / public.ROUND_KWH == pytest.approx(round(shown / public.ROUND_KWH), abs=1e-6)


def test_a_lone_battery_or_car_hides_storage(db: None) -> None:
    version = keep(made(homes(16)))
    assert public.standing(version, None).storage
    Member.objects.filter(version=version, key="h01").update(battery_kwh=10, battery_kw=5)
    assert not public.standing(version, None).storage
    version.battery_kwh = 100.0
    assert public.standing(version, None).storage
    Member.objects.filter(version=version, key="h01").update(ev_kwh_per_day=8)
    assert not public.standing(version, None).storage


# --- differencing ---------------------------------------------------------------------------------------


def test_one_who_joins_leaves_or_is_corrected_shows_in_no_difference(db: None) -> None:
    """An attacker who keeps all that was ever published: what differs between two of them is never of under five."""
    people = homes(24)
    first = keep(made({k: people[k] for k in list(people)[:16]}))
    assert publishing.publish(first)
    joined = keep(made({k: people[k] for k in list(people)[:17]}))
    assert public.version(joined.community, None) == first
    left = keep(made({k: people[k] for k in list(people)[1:16]}))
    corrected = keep(made({**{k: people[k] for k in list(people)[:16]}, "h03": people["h03"] * 2}))
    assert not Publication.objects.filter(version__in=[joined, left, corrected]).exists()
    five = keep(made({k: people[k] for k in list(people)[:21]}))
    assert public.version(five.community, None) == five
    # one back: it differs from the newest by one, from the first by four
    keep(made({k: people[k] for k in list(people)[:20]}))
    assert public.version(five.community, None) == five
    steward = create_user(username="sten", name="Sten", password="a long pass phrase")
    User.objects.filter(pk=steward.pk).update(is_staff=True)
    steward.refresh_from_db()
    newest = public.version(five.community, steward)
    assert newest is not None
    assert newest.number == 6


def test_a_thousand_pairs_of_published_sums_give_no_household_away(db: None) -> None:
    """People come and go at random for 25 versions; every two published sums differ by none or at least five."""
    random.seed(11)
    people = homes(40, 24)
    inside = set(list(people)[:20])
    for _step in range(25):
        for key in random.sample(sorted(people), random.choice([1, 1, 2, 3, 6])):
            inside ^= {key}
        if len(inside) >= policies.LEAST_MEMBERS:
            keep(made({k: people[k] for k in sorted(inside)}, labs=0))
    published = list(CommunityVersion.objects.filter(publication__isnull=False))
    assert 2 <= len(published) < 25
    for a, b in itertools.combinations(published, 2):
        keys = [set(v.members.values_list("key", flat=True)) for v in (a, b)]
        changed = keys[0] ^ keys[1]
        assert not changed or len(changed) >= policies.LEAST_CHANGED
        gap = sum(load_of(a)) - sum(load_of(b))
        for key in changed:
            own = float(people[key].sum())
            assert len(changed) > 1 or abs(abs(gap) - own) > 0.1 * own


def test_one_who_comes_within_a_version_shows_in_no_step_of_its_sum(db: None) -> None:
    """The sum over an hour before and one after would differ by them; five together are not told apart."""
    for newcomers, shown in ((1, False), (4, False), (5, True), (0, True)):
        people = homes(24)
        for key in list(people)[:newcomers]:
            people[key] = people[key] * (np.arange(HOURS) >= 30)
        version = keep(made(people), f"new{newcomers}")
        assert (public.version(version.community, None) == version) is shown


def test_data_that_go_on_are_published(db: None) -> None:
    """The same people a day longer: nothing differs in the time that both have."""
    people = homes(16, 72)
    keep(made({k: v[:48] for k, v in people.items()}))
    longer = keep(made(people))
    assert public.version(longer.community, None) == longer


def test_hours_of_quarters_are_the_same_data(db: None) -> None:
    """The same year in quarters and in hours does not differ; one home more does."""
    quarters = homes(31, 96)
    keep(made(dict(list(quarters.items())[:30]), step=15))
    hours = {k: v.reshape(-1, 4).sum(axis=1) for k, v in quarters.items()}
    same = keep(made(dict(list(hours.items())[:30])))
    assert public.version(same.community, None) == same
    more = keep(made(hours))
    assert public.version(more.community, None) == same


# --- who sees what --------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, db: None) -> CommunityVersion:
    """Five homes and a lab, of an organisation with a steward; one home is a person's."""
    version = services.import_folder(folder=write(tmp_path / "few", homes=5, name="Few"), slug="few")
    operator = create_organisation(handle="few-people", name="Few people", kind="community")
    version.community.organisation = operator
    version.community.save()
    steward = create_user(username="stina", name="Stina", password="a long pass phrase")
    set_role(organisation=operator, user=steward, role=Membership.Role.STEWARD)
    owner = create_user(username="omar", name="Omar", password="a long pass phrase")
    version.members.filter(key="h01").update(person=owner)
    create_user(username="nea", name="Nea", password="a long pass phrase")
    return version


PAGES = {
    # route: (anonymous, somebody, the person of a home, a steward)
    "/energy/few/": (200, 200, 200, 200),
    "/energy/few/live/": (200, 200, 200, 200),
    "/energy/few/year/": (200, 200, 200, 200),
    "/energy/few/year.csv": (404, 404, 404, 200),
    "/energy/few/sharing/": (200, 200, 200, 200),
    "/energy/few/simulations/": (200, 200, 200, 200),
    "/energy/few/mine/": (302, 404, 200, 404),
    "/energy/few/mine.csv": (302, 404, 200, 404),
}


@pytest.mark.parametrize("route", PAGES)
def test_role_by_route(client: Client, small: CommunityVersion, route: str) -> None:
    for name, status in zip((None, "nea", "omar", "stina"), PAGES[route], strict=True):
        client.logout()
        if name:
            client.force_login(User.objects.get(username=name))
        assert client.get(route).status_code == status, (route, name)
    small.community.public = False
    small.community.save()
    client.logout()
    assert client.get(route).status_code == (302 if PAGES[route][0] == 302 else 404)
    client.force_login(User.objects.get(username="nea"))
    assert client.get(route).status_code == 404


def test_a_simulation_of_few_is_for_its_members(client: Client, small: CommunityVersion) -> None:
    for name, status in (("nea", 403), ("omar", 302), ("stina", 302)):
        client.force_login(User.objects.get(username=name))
        assert client.post("/energy/few/simulate/", {"control": "rule"}).status_code == status, name


def test_the_api_says_no_sums_of_few(client: Client, small: CommunityVersion) -> None:
    told = client.get("/api/v1/communities/few/").json()
    assert told["version"]["load_kwh"] is None
    assert told["version"]["prosumer_ratio"] is None
    assert told["simulations"] == []
    client.force_login(User.objects.get(username="stina"))
    assert client.get("/api/v1/communities/few/").json()["version"]["load_kwh"] == pytest.approx(small.load_kwh)


def test_nobody_but_its_person_sees_a_homes_curve(client: Client, small: CommunityVersion) -> None:
    """Not a word of a home is on a page of somebody else, nor in a file; the steward sees sums."""
    member = small.members.get(key="h01")
    assert policies.may_see_member(User.objects.get(username="omar"), member)
    for name in ("nea", "stina"):
        assert not policies.may_see_member(User.objects.get(username=name), member)
    lab = small.members.get(key="lab")
    assert policies.may_see_member(None, lab)
    client.force_login(User.objects.get(username="omar"))
    page = client.get("/energy/few/mine/?day=2026-01-02")
    assert "no-store" in page["Cache-Control"]
    assert "H01" in page.content.decode()
    lines = client.get("/energy/few/mine.csv").getvalue().decode().splitlines()
    assert len(lines) == 1 + small.steps


def test_small_live_view_is_of_labs_and_roofs_alone(small: CommunityVersion) -> None:
    """Of meters with a device only labs, public buildings and solar are left while fewer than 30 homes have one."""
    from commons.devices.models import Device
    from energy.models import MeterPoint, Participant

    long_ago = dt.date(2020, 1, 1)
    for i, kind in enumerate(["home"] * 3 + ["lab", "public"]):
        who = Participant.objects.create(community=small.community, name=f"P{i}", kind=kind, joined_on=long_ago)
        for direction in ("use", "solar"):
            device = Device.objects.create(kind="meter", name=f"{i} {direction}")
            MeterPoint.objects.create(
                participant=who, number=f"{i}{direction}", direction=direction, device=device, proof="steward",
                valid_from=long_ago,
            )  # fmt: skip
    meters, whole = live.meters_of(small.community)
    assert not whole
    assert sorted((m.participant.kind, m.direction) for m in meters) == [
        ("home", "solar"), ("home", "solar"), ("home", "solar"),
        ("lab", "solar"), ("lab", "use"), ("public", "solar"), ("public", "use"),
    ]  # fmt: skip
    told = live.document(live.now_of(meters, whole=False))
    assert "homes" not in told
    assert "grid" not in told
    # who joins in the middle of a month enters with the next
    today = timezone.now().astimezone(measured.zone(small.community)).date()
    Participant.objects.filter(name="P3").update(joined_on=today.replace(day=2))
    assert "lab" not in {m.participant.kind for m in live.meters_of(small.community)[0]}


# --- the year -------------------------------------------------------------------------------------------


def test_months_and_hours_add_up(version: CommunityVersion) -> None:
    story = year.year(version, None, None)
    assert story is not None
    assert sum(month.made for month in story.months) == pytest.approx(version.pv_kwh)
    assert sum(month.used for month in story.months) == pytest.approx(version.load_kwh, abs=0.05 * version.steps)
    assert story.balance == pytest.approx(sum(m.made - m.used for m in story.months))
    cells = [value for row in story.solar for value in row if value is not None]
    assert sum(cells) == pytest.approx(version.pv_kwh)
    assert len(cells) == version.steps
