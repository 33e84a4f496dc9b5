"""The page, the API and the runs of traffic: who may, what is kept, what is refused."""

import gzip

import pytest
from django.test import Client

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Feature, Import, line, small_town, the_town
from twin import services
from twin.errors import BadAssumption
from twin.models import Traffic

PAGE = "/twin/town/traffic/"
API = "/api/v1/districts/town/traffic/"


def streets() -> list[Feature]:
    """The small town with a grid of streets for cars."""
    found = small_town()
    for i in range(4):
        lon, lat = 24.939 + 0.002 * i, 60.1685 + 0.001 * i
        found.append(line(f"ns{i}", *[(lon, 60.1685 + 0.001 * k) for k in range(4)], name=f"North {i}"))
        found.append(line(f"ew{i}", *[(24.939 + 0.002 * k, lat) for k in range(4)], name=f"East {i}", lanes="2"))
    found.append(line("in", (24.935, 60.1695), (24.939, 60.1695), name="Way in", highway="primary"))
    found.append(line("out", (24.945, 60.1705), (24.949, 60.1705), name="Way out", highway="primary"))
    return found


@pytest.fixture
def answered(town: Import) -> Traffic:
    """The town with its default answer."""
    assert town(streets()).status == Run.Status.DONE
    version = the_town().current
    assert version is not None
    run = services.start_traffic(version=version)
    do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.error
    return Traffic.objects.get(pk=run.result["answer"])


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", password="correct horse battery")


def test_everybody_reads_the_answer_and_its_picture(answered: Traffic, client: Client) -> None:
    body = client.get(PAGE).content.decode()
    assert "Living City user equilibrium 1" in body
    assert "Traffic in Town" in body
    assert "not a count of cars" in body
    assert "Sign in to change them" in body
    assert body.count("Way in") == 1
    picture = client.get(f"/twin/town/traffic/{answered.pk}.svg", headers={"accept-encoding": "gzip"})
    assert picture["Content-Type"] == "image/svg+xml"
    assert b'id="flows"' in gzip.decompress(picture.content)
    tag = picture["ETag"]
    assert client.get(f"/twin/town/traffic/{answered.pk}.svg", headers={"if-none-match": tag}).status_code == 304
    assert client.get(f"/twin/town/traffic/{answered.pk + 1}.svg").status_code == 404
    found = client.get(API).json()
    assert found["method"] == "equilibrium"
    assert found["summary"]["gap"] <= 1e-6
    assert found["assumptions"]["share_car"] == 0.25
    assert len(found["streets"]["key"]) == len(found["streets"]["flow"]) > 10
    assert client.get(f"{API}?version=9").status_code == 404
    assert client.get("/twin/nowhere/traffic/").status_code == 404


def test_before_anybody_asked(town: Import, client: Client) -> None:
    town(streets())
    assert "Nobody has reckoned" in client.get(PAGE).content.decode()
    assert client.get(API).status_code == 404


def test_who_may_ask(answered: Traffic, client: Client, anna: User) -> None:
    """Nobody: refused and nothing begun. Whoever is signed in: a run, or the kept answer."""
    asked = {"method": "equilibrium", "counts": "", **answered_fields(), "share_car": "0.5"}
    assert client.post(PAGE, asked).status_code == 403
    assert client.post(API, {"assumptions": {"share_car": 0.5}}, content_type="application/json").status_code in (
        401,
        403,
    )
    assert Run.objects.filter(kind="twin.traffic").count() == 1
    client.force_login(anna)
    redirected = client.post(PAGE, asked)
    assert redirected.status_code == 302
    run = Run.objects.get(owner=anna)
    assert redirected["Location"].endswith(f"{run.pk}/")
    assert run.inputs["assumptions"] == {"share_car": 0.5}
    assert client.post(PAGE, asked)["Location"] == redirected["Location"], "the same question runs once"
    do(run.pk)
    kept = Traffic.objects.get(assumptions={"share_car": 0.5})
    assert client.post(PAGE, asked)["Location"].endswith(f"answer={kept.pk}")
    assert kept.summary["vehicle_km"] > answered.summary["vehicle_km"]
    page = client.get(f"{PAGE}?answer={kept.pk}").content.decode()
    assert 'value="0.5"' in page
    assert "our assumptions" in page


def answered_fields() -> dict[str, str]:
    """Every field of the form at our value."""
    from twin.assumptions import FIELDS

    return {field.name: str(field.default) for field in FIELDS}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"share_car": "2"}, "less than or equal to 1"),
        ({"share_car": "0.9"}, "sum to 1.30"),
        ({"peak_share": "much"}, "Enter a number"),
        ({"counts": "Way in many"}, "Line 1 of the counts"),
        ({"counts": "w1 -5"}, "from 0 to 50000"),
        ({"method": "magic"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_is_said_on_the_form(
    answered: Traffic, client: Client, anna: User, change: dict[str, str], says: str
) -> None:
    client.force_login(anna)
    response = client.post(PAGE, {"method": "equilibrium", "counts": "", **answered_fields(), **change})
    assert response.status_code == 400
    assert says in response.content.decode()
    assert not Run.objects.filter(owner=anna).exists()


def test_counts_are_fitted_and_shown(answered: Traffic, client: Client, anna: User) -> None:
    columns = answered.streets
    key = columns["key"][columns["flow"].index(max(columns["flow"]))]
    version = answered.version
    run = services.start_traffic(version=version, assumptions={"counts": {key: 2 * max(columns["flow"])}}, owner=anna)
    do(run.pk)
    fitted = Traffic.objects.exclude(pk=answered.pk).get()
    count, flow, _geh = fitted.summary["fit"]["counts"][key]
    assert abs(flow - count) < abs(max(columns["flow"]) - count)
    assert "Against counts" in client.get(f"{PAGE}?answer={fitted.pk}").content.decode()


def test_a_district_without_streets_for_cars_says_so(town: Import) -> None:
    features = small_town()
    for feature in features:
        if "highway" in feature["properties"]:
            feature["properties"]["highway"] = "footway"
    town(features)
    version = the_town().current
    assert version is not None
    run = services.start_traffic(version=version)
    do(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error_code) == (Run.Status.FAILED, "twin:no-roads")
    assert not Traffic.objects.exists()


def test_too_many_runs_wait(answered: Traffic, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.errors import TooManyRuns
    from twin.services import traffic

    monkeypatch.setattr(traffic, "HOURLY", 1)
    services.ask_traffic(version=answered.version, method="equilibrium", assumptions={"share_car": 0.4}, owner=anna)
    with pytest.raises(TooManyRuns):
        services.ask_traffic(version=answered.version, method="equilibrium", assumptions={"share_car": 0.3}, owner=anna)
    with pytest.raises(BadAssumption):
        services.ask_traffic(version=answered.version, method="equilibrium", assumptions={"moon": 1}, owner=anna)
