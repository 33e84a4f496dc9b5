"""Homes that nobody measured, versions of what was measured, weather of places, forecasts by meters; who may."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from commons.people.models import Membership, Organisation, User
from commons.people.services import create_user
from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from commons.web import outside
from energy import loading, series
from energy.errors import BadWeather, NotMeasured, NotSteward
from energy.models import (
    Asset,
    Community,
    Forecast,
    ForecastCard,
    MeterDay,
    MeterPoint,
    ModelledYear,
    Participant,
    WeatherFeed,
    WeatherReport,
)
from energy.queries import sources as reads
from energy.services import forecasts, measured, modelling, past, weather
from tests.engines.test_energy_forecast import made_up
from tests.engines.test_energy_weather import epw, meteo

pytestmark = pytest.mark.django_db
FIRST, END = dt.date(2026, 6, 1), dt.date(2026, 6, 8)
PRICES = {"import_price": 0.3, "export_price": 0.08}


@pytest.fixture
def steward(db: None) -> User:
    return create_user(username="stina", name="Stina", password="a long pass phrase")


@pytest.fixture
def stranger(db: None) -> User:
    return create_user(username="nea", name="Nea", password="a long pass phrase")


@pytest.fixture
def aino(db: None) -> User:
    return create_user(username="aino", name="Aino", password="a long pass phrase")


@pytest.fixture
def street(kamppi: Place, steward: User) -> Community:
    owner = Organisation.objects.create(kind="community", name="Our street")
    Membership.objects.create(organisation=owner, user=steward, role=Membership.Role.STEWARD)
    return Community.objects.create(slug="street", name="Our street", place=kamppi, organisation=owner)


@pytest.fixture
def home(street: Community, aino: User) -> Participant:
    """Aino's: a roof, a battery, a heat pump and a car, and no meter."""
    made = Participant.objects.create(community=street, name="Aino", person=aino, joined_on=dt.date(2026, 1, 1))
    rows: tuple[dict[str, Any], ...] = (
        {"kind": "solar", "kwp": 8.0, "tilt_deg": 30.0, "azimuth_deg": 180.0},
        {"kind": "battery", "kwh": 10.0, "kw": 5.0, "efficiency": 0.9},
        {"kind": "heat_pump", "kw": 3.0},
        {"kind": "vehicle", "kwh": 60.0, "kw": 11.0, "kwh_per_day": 6.0, "v2g": True},
    )
    for row in rows:
        Asset.objects.create(participant=made, **row)
    return made


def neighbour(street: Community, name: str, *, days: int = 7, first: dt.date = FIRST, kwh: float = 0.5) -> Participant:
    """A home with a proved meter that measured these days."""
    made = Participant.objects.create(community=street, name=name, joined_on=dt.date(2025, 1, 1))
    meter = MeterPoint.objects.create(
        participant=made, number=f"M{made.pk}", direction="use", proof="steward", valid_from=made.joined_on
    )
    MeterDay.objects.bulk_create(
        MeterDay(
            meter=meter, day=first + dt.timedelta(days=i), step_minutes=60, packed=series.pack([kwh] * 24),
            kwh=24 * kwh, missing=0, source="file",
        )
        for i in range(days)
    )  # fmt: skip
    return made


def test_what_would_my_home_look_like(home: Participant, aino: User, steward: User, client: Client) -> None:
    with pytest.raises(NotSteward):
        modelling.start_home(participant=home, by=steward)
    modelling.say(participant=home, by=aino, people=3, kwh_per_year=3200)
    client.force_login(aino)
    page = client.get(f"/energy/street/members/{home.pk}/").content.decode()
    assert "Work out its year" in page
    assert client.post(f"/energy/street/members/{home.pk}/", {"do": "model"}).status_code == 302
    run = Run.objects.get(kind="energy.home")
    assert do(run.pk)
    year = ModelledYear.objects.get()
    assert year.load_kwh - year.heat_pump_kwh == pytest.approx(3200)
    assert 6500 < year.pv_kwh < 9000 and year.own_kwh < year.pv_kwh
    assert year.car_kwh * 0.95 == pytest.approx(6.0 * 365, rel=0.02)
    assert "Rostock" in year.weather
    page = client.get(f"/energy/street/members/{home.pk}/").content.decode()
    assert "Nobody measured it" in page and "The car takes" in page
    found = reads.modelled(home)
    assert found is not None and len(found.months) == 12
    assert sum(month.made for month in found.months) == pytest.approx(year.pv_kwh)
    answer = client.get(f"/api/v1/communities/street/participants/{home.pk}/modelled/").json()
    assert answer["used_kwh"] == pytest.approx(year.load_kwh + year.car_kwh)


def test_a_version_of_meters_and_models(street: Community, home: Participant, aino: User) -> None:
    neighbour(street, "Onni")
    gappy = neighbour(street, "Leila", days=6)
    with pytest.raises(NotMeasured, match="Aino"):
        measured.build(street, start=FIRST, end=END, **PRICES)
    call_command("make_version", "street", "--from=2026-06-01", "--to=2026-06-07", "--fill=model", import_price=0.3,
                 export_price=0.08)  # fmt: skip
    version = street.versions.get()
    rows = {m.name: m for m in version.members.all()}
    assert {name: row.modelled for name, row in rows.items()} == {"Aino": True, "Onni": False, "Leila": False}
    assert "1 of 3 members are modelled" in version.source and "24 steps that nobody measured" in version.source
    assert 72 < rows["Leila"].load_kwh < 100, "no other week was measured: the missing day is modelled"
    assert gappy.pk and rows["Onni"].load_kwh == pytest.approx(84)
    mine = rows["Aino"]
    assert mine.pv_kwh > 100 and mine.battery_kwh == 10 and mine.ev_v2g and mine.person == aino
    assert mine.ev_kwh_per_day == pytest.approx(6.0, rel=0.35)
    data = loading.load(version)
    assert data.steps == 168 and data.has_storage
    made = reads.made_of(street)
    assert made is not None and (made.measured, list(made.modelled)) == (2, ["Aino"])


def test_a_steward_makes_a_version_by_a_button(street: Community, home: Participant, steward: User) -> None:
    neighbour(street, "Onni")
    client = Client()
    client.force_login(steward)
    asked = {"do": "version", "v-start": "2026-06-01", "v-last": "2026-06-07", "v-fill": "model",
             "v-import_price": "0.3", "v-export_price": "0.08"}  # fmt: skip
    assert client.post("/energy/street/members/", asked | {"v-last": "2019-01-01"}).status_code == 400
    assert client.post("/energy/street/members/", asked).status_code == 302
    run = Run.objects.get(kind="energy.measured")
    assert do(run.pk)
    run.refresh_from_db()
    assert run.result["modelled"] == 1 and street.versions.count() == 1
    page = client.get("/energy/street/members/").content.decode()
    assert "that is modelled" in page and "Aino" in page


def test_weather_of_a_place(kamppi: Place, tmp_path: Path) -> None:
    path = tmp_path / "helsinki.epw"
    rows = epw().splitlines(keepends=True)
    path.write_text("".join(rows))
    call_command("import_weather", "kamppi", str(path))
    call_command("import_weather", "kamppi", str(path))
    report = WeatherReport.objects.get()
    assert (report.source, report.steps, report.typical) == ("EPW", 8760, False)
    kept = weather.of_report(report)
    assert kept.start == report.start and kept.latitude == 60.32 and len(kept.dni) == 8760
    assert weather.for_place(kamppi)[0].place == "Rostock", "a real year is no typical one"
    bad = tmp_path / "bad.epw"
    bad.write_text(path.read_text().replace("2005,1,1,3,0,A7A7,-2.0", "2005,1,1,3,0,A7A7,99.9"))
    with pytest.raises(BadWeather, match="line 11, column air"):
        weather.keep(place=kamppi, content=bad.read_bytes(), name="bad.epw")


def test_a_feed_is_asked_and_its_trouble_shown(street: Community, steward: User) -> None:
    feed = weather.set_feed(community=street, by=steward, url="https://weather.example/v1/forecast")
    assert feed is not None
    assert weather.ask(feed=feed, fetch=lambda _url: json.dumps(meteo()).encode())
    assert not weather.ask(feed=feed, fetch=lambda _url: b"{}")
    feed.refresh_from_db()
    assert "none of the formats" in feed.trouble and feed.asked_at is not None

    def away(_url: str) -> bytes:
        raise outside.Unreachable("weather.example did not answer")

    assert not weather.ask(feed=feed, fetch=away)
    assert WeatherReport.objects.count() == 1
    client = Client()
    client.force_login(steward)
    assert "did not answer" in client.get("/energy/street/forecast/").content.decode()
    assert client.post("/energy/street/forecast/weather/", {"url": ""}).status_code == 302
    assert not WeatherFeed.objects.exists()


def test_no_address_of_an_inner_network_is_asked(street: Community, steward: User) -> None:
    feed = weather.set_feed(community=street, by=steward, url="https://127.0.0.1/forecast")
    assert feed is not None and not weather.ask(feed=feed)
    feed.refresh_from_db()
    assert "private network" in feed.trouble


def test_what_the_weather_said_before_each_midnight(street: Community, kamppi: Place) -> None:
    """A report counts for the days after it was issued, never for those before."""
    for i in range(3):
        issued = dt.datetime(2026, 5, 31 - i, 18, tzinfo=dt.UTC)
        document = meteo(count=96, elevation=float(i))
        weather.keep(place=kamppi, content=json.dumps(document).encode(), name="x.json", issued_at=issued)
    days = np.ones((60, 24))
    known = past.Past(dt.date(2026, 4, 3), 60, {"pv": days})
    zone = measured.measured.zone(street)
    assert past.told(street, known, zone) is None, "eight weeks must be known, and the place has no outline"
    raw = past._of_feed(street, past.Past(dt.date(2026, 6, 2), 60, {}), past._roofs(street), zone, (1, 24))
    assert raw is not None and raw.sum(axis=1).min() > 0, "what was issued the evening before"
    kamppi.outline = {"type": "Polygon", "coordinates": [[[24.9, 60.1], [25.0, 60.1], [25.0, 60.2], [24.9, 60.1]]]}
    kamppi.save()
    street.refresh_from_db()
    found = past.told(street, known, zone)
    assert found is not None and found[1] == past.CLEAR
    guess = found[0]
    assert guess.shape == (61, 24) and np.isnan(guess[0]).all()
    assert guess[30].sum() == pytest.approx(24, rel=0.02), "as much as yesterday, in the shape of a clear day"
    assert guess[30, 12] > 2 and guess[30, 0] == 0


def test_meters_are_forecast_without_any_data(street: Community, steward: User, client: Client) -> None:
    day = dt.date(2026, 7, 12)
    use = made_up(193) / 16
    for i in range(16):
        person = neighbour(street, f"Home {i}", days=0)
        meter = person.meters.get()
        MeterDay.objects.bulk_create(
            MeterDay(
                meter=meter, day=dt.date(2026, 1, 1) + dt.timedelta(days=n), step_minutes=60,
                packed=series.pack(row), kwh=float(row.sum()), missing=0, source="file",
            )
            for n, row in enumerate(use[:192]) if not (i == 3 and n in {20, 172})
        )  # fmt: skip
    [run] = forecasts.start_due(today=day)
    assert do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.error
    card, told = ForecastCard.objects.get(), Forecast.objects.get()
    assert (card.version, card.participants, told.day) == (None, 16, day)
    assert card.largest_share == pytest.approx(1 / 16, rel=1e-3)
    assert sum(series.unpack(told.middle)) == pytest.approx(use[172:192].sum(axis=1).mean() * 16, rel=0.4)
    assert forecasts.start_due(today=day) == []
    assert "the meters of 16 members measured" in client.get(f"/energy/street/forecast/?day={day}").content.decode()
    ForecastCard.objects.update(participants=8)
    assert client.get(f"/api/v1/communities/street/forecast/?day={day}").status_code == 404
    assert "Learned from" not in client.get(f"/energy/street/forecast/?day={day}").content.decode()
    client.force_login(steward)
    assert len(client.get(f"/api/v1/communities/street/forecast/?day={day}").json()) == 1


ROLES = ("nobody", "stranger", "household", "steward")
TABLE = [
    ("get", "/energy/street/members/", (302, 404, 404, 200)),
    ("post", "/energy/street/forecast/weather/", (302, 404, 404, 302)),
    ("post", "/api/v1/communities/street/versions/", (401, 404, 404, 202)),
    ("get", "/api/v1/communities/street/weather/", (401, 404, 404, 200)),
    ("put", "/api/v1/communities/street/weather/", (401, 404, 404, 200)),
    ("get", "/api/v1/communities/street/participants/{pk}/modelled/", (401, 404, 200, 404)),
    ("post", "/api/v1/communities/street/participants/{pk}/modelled/", (401, 404, 202, 403)),
]


@pytest.mark.parametrize(("verb", "url", "answers"), TABLE)
def test_who_may(
    verb: str,
    url: str,
    answers: tuple[int, ...],
    street: Community,
    home: Participant,
    aino: User,
    steward: User,
    stranger: User,
) -> None:
    ModelledYear.objects.create(
        participant=home, start=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), timezone="UTC", step_minutes=60, steps=24,
        weather="x", load_kwh=1, pv_kwh=0, heat_pump_kwh=0, car_kwh=0, own_kwh=0, load=series.pack([0.1] * 24),
        pv=series.pack([0.0] * 24),
    )  # fmt: skip
    people = {"nobody": None, "stranger": stranger, "household": aino, "steward": steward}
    body = {"start": "2026-06-01", "end": "2026-06-08", "fill": "model", "url": "https://weather.example/"}
    for role, expected in zip(ROLES, answers, strict=True):
        client = Client()
        if people[role] is not None:
            client.force_login(people[role])
        path = url.format(pk=home.pk)
        more: dict[str, Any] = {} if verb == "get" else {"data": body}
        if "/api/" in path and more:
            more["content_type"] = "application/json"
        assert getattr(client, verb)(path, **more).status_code == expected, (role, verb, path)
