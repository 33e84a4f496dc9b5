"""The grid of a community: import, who is where, a check through a worker, and who sees what of it."""

import datetime as dt
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from commons.people.models import User
from commons.people.services import create_organisation, create_token, create_user
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy.engine import network
from energy.models import CommunityVersion, Grid, GridCheck, GridConnection, GridVersion
from energy.queries import grids
from energy.services import grids as services

CIGRE = Path(__file__).parents[1] / "engines" / "grids" / "cigre"


def imported(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("import_grid", *words, "--inline", "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.fixture
def grid_version(version: CommunityVersion) -> GridVersion:
    return services.import_grid(folder=CIGRE, community=version.community, name="Feeder R")


@pytest.fixture
def steward(version: CommunityVersion) -> User:
    """Somebody who keeps the community's books."""
    person = create_user(username="stella", name="Stella", password="a long pass phrase")
    organisation = create_organisation(handle="power", name="Power", kind="community", founder=person)
    community = version.community
    community.organisation = organisation
    community.save()
    return person


def checked(version: CommunityVersion, grid_version: GridVersion, control: str) -> GridCheck:
    run = services.start_check(version=version, grid_version=grid_version, control=control)
    do(run.pk)
    run = runs.wait(run=Run.objects.get(pk=run.pk), timeout_s=120)
    assert run.status == Run.Status.DONE, run.error
    return GridCheck.objects.get(run=run)


@pytest.mark.django_db(transaction=True)
def test_the_command_imports_and_checks(version: CommunityVersion) -> None:
    answer = imported(str(CIGRE), "--community", "sixteen", "--from", "2026-01-01", "--check", "rule")
    assert (answer["nodes"], answer["lines"], answer["transformers"], answer["radial"]) == (19, 17, 1, True)
    assert answer["connected"] == {"spread": 17}
    assert answer["check"]["steps_run"] == version.steps
    assert 0.97 < answer["check"]["lowest_voltage_pu"] < 1
    check = GridCheck.objects.get()
    assert check.result["checked"]["voltage"] < 1e-8  # pandapower has looked at the worst hours
    lowest = grids.curves(check)["lowest"]
    assert len(lowest) == version.steps
    assert min(lowest) == check.result["voltage"]["least"]
    assert set(check.result["hosting"]) == {"pv", "evening", "steady"}
    again = imported(str(CIGRE), "--community", "sixteen", "--from", "2026-01-01")
    assert again["version"] == answer["version"] == 1
    later = imported(str(CIGRE), "--community", "sixteen", "--from", "2026-06-01")
    assert later["version"] == 2
    found = grids.grid_of(version.community)
    assert found is not None
    held = [grids.version_of(found, dt.date(2026, month, 1)) for month in (3, 7)]
    assert [one.number for one in held if one] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_all_controls_and_the_same_question_twice(version: CommunityVersion, grid_version: GridVersion) -> None:
    by = {control: checked(version, grid_version, control) for control in grids.CONTROLS}
    again = checked(version, grid_version, "rule")
    assert again.result == by["rule"].result
    assert again.inputs_sha256 == by["rule"].inputs_sha256 != by["none"].inputs_sha256
    nodes = grids.read(grid_version)
    for check in by.values():
        assert check.result["unsolved_steps"] == 0
        assert {row["id"] for row in check.result["nodes"]} == set(nodes.place)
    assert len({bytes(check.transformer) for check in by.values()}) > 1  # storage changes what flows
    document = grid_version.network
    assert network.from_dict(document).as_dict() == document


def test_refusals_change_nothing(version: CommunityVersion, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CIGRE, tmp_path / "grid"))
    (folder / "LineType.csv").write_text("id;r;x;b;iMax;type\nUG1;0.162;0.0832;0;1000;cable\n")
    with pytest.raises(CommandError, match=r"Line.csv, line 11, column type: LineType.csv has no type “UG3”"):
        imported(str(folder), "--community", "sixteen")
    with pytest.raises(CommandError, match="to a community or to a place"):
        imported(str(CIGRE))
    with pytest.raises(CommandError, match="is not a folder"):
        imported(str(tmp_path / "nowhere"), "--community", "sixteen")
    assert Grid.objects.count() == 0


def test_a_place_lends_its_grid(version: CommunityVersion) -> None:
    community = version.community
    assert community.place is not None
    city = community.place.parent
    services.import_grid(folder=CIGRE, place=city, name="City")
    assert str(grids.grid_of(community)) == "City"
    services.import_grid(folder=CIGRE, place=community.place, name="Quarter")
    assert str(grids.grid_of(community)) == "Quarter"
    services.import_grid(folder=CIGRE, community=community, name="Own")
    assert str(grids.grid_of(community)) == "Own"


def test_who_is_where(version: CommunityVersion, steward: User, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CIGRE, tmp_path / "grid"))
    (folder / "Member.csv").write_text("member;node\nH00;R15\nlab;R1\n")
    grid_version = services.import_grid(folder=folder, community=version.community)
    services.connect(community=version.community, by=steward, nodes={"h01": "R7", "lab": "R18"})
    rows = {row.member: row for row in grids.placed(grid_version, version)}
    assert (rows["h00"].node, rows["h00"].known) == ("R15", "file")
    assert (rows["h01"].node, rows["h01"].known) == ("R7", "form")
    assert (rows["lab"].node, rows["lab"].known) == ("R18", "form")
    others = [row for row in rows.values() if row.known == "spread"]
    assert len(others) == 14
    homes = grids.read(grid_version).homes
    counts = [sum(row.node == home for row in rows.values()) for home in homes]
    assert max(counts) - min(counts) <= 1
    services.connect(community=version.community, by=steward, nodes={"lab": ""})
    assert {row.member: row.node for row in grids.placed(grid_version, version)}["lab"] == "R1"


SCOPES = ("energy:read", "energy:manage")
ROLES = ("nobody", "neighbour", "member", "steward", "staff")


@pytest.mark.django_db(transaction=True)
def test_role_by_route(
    client: Client, version: CommunityVersion, grid_version: GridVersion, steward: User, neighbour: User
) -> None:
    """What each may see of a grid, and who may set a check or a place."""
    checked(version, grid_version, "rule")
    member = create_user(username="mia", name="Mia", password="a long pass phrase")
    version.members.filter(key="h00").update(person=member)
    staff = create_user(username="stan", name="Stan", password="a long pass phrase", is_staff=True)
    people = dict(zip(ROLES, (None, neighbour, member, steward, staff), strict=True))
    expected = {
        #             plan   own node  check  connect
        "nobody": (False, False, 302, 302),
        "neighbour": (False, False, 403, 403),
        "member": (False, True, 403, 403),
        "steward": (True, False, 302, 302),
        "staff": (True, False, 302, 302),
    }
    for role, person in people.items():
        client.logout()
        if person:
            client.force_login(person)
        page = client.get("/energy/sixteen/grid/").content.decode()
        started, put = client.post("/energy/sixteen/grid/check/", {"control": "none"}), None
        put = client.post("/energy/sixteen/grid/places/", {"node:h03": "R9"})
        found = ("gridplan" in page, "Where your home is connected" in page, started.status_code, put.status_code)
        assert found == expected[role], role
        assert "Does the grid hold?" in page
        assert ("Who is connected where" in page) == expected[role][0]
        api = client.get("/api/v1/communities/sixteen/grid/").json()
        assert (api["network"] is not None) == expected[role][0]
        assert (api["checks"][0]["details"] is not None) == expected[role][0]
        assert api["checks"][0]["summary"]["steps_run"] == version.steps
    assert GridConnection.objects.get().node == "R9"
    assert Run.objects.filter(kind="energy.grid", owner__in=[neighbour, member]).count() == 0
    version.community.public = False
    version.community.save()
    client.force_login(neighbour)
    for path in ("/energy/sixteen/grid/", "/api/v1/communities/sixteen/grid/"):
        assert client.get(path).status_code == 404
    for path in ("/energy/sixteen/grid/check/", "/energy/sixteen/grid/places/"):
        assert client.post(path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_api_starts_a_check_and_says_places(
    client: Client, version: CommunityVersion, grid_version: GridVersion, steward: User, neighbour: User
) -> None:
    keys = {
        person: {"Authorization": f"Bearer {create_token(user=person, name='t', scopes=SCOPES)[1]}"}
        for person in (steward, neighbour)
    }
    path = "/api/v1/communities/sixteen/grid/"
    ask = {"path": f"{path}runs/", "data": {"control": "none"}, "content_type": "application/json"}
    assert client.post(**ask, headers=keys[steward]).status_code == 202
    assert client.post(**ask, headers=keys[neighbour]).status_code == 403
    assert client.post(**ask).status_code in {401, 403}
    where = {"data": [{"member": "h00", "node": "R15"}], "content_type": "application/json"}
    answer = client.put(f"{path}places/", headers=keys[steward], **where)
    assert answer.json()[0] == {"member": "h00", "node": "R15", "known": "form"}
    assert client.put(f"{path}places/", headers=keys[neighbour], **where).status_code == 403
    wrong = {**where, "data": [{"member": "h00", "node": "nowhere"}]}
    refused = client.put(f"{path}places/", headers=keys[steward], **wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "energy:bad-grid")
    assert client.get("/api/v1/communities/nowhere/grid/").status_code == 404


def test_without_a_grid_it_says_so(client: Client, version: CommunityVersion, neighbour: User) -> None:
    assert "No grid yet" in client.get("/energy/sixteen/grid/").content.decode()
    assert client.get("/api/v1/communities/sixteen/grid/").status_code == 404
    client.force_login(neighbour)
    assert client.post("/energy/sixteen/grid/check/", {"control": "rule"}).status_code == 404
