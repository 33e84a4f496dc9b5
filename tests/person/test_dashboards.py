"""Dashboards: numbers against sums made here, definitions in every file, nothing private in any."""

import csv
import datetime as dt
import io
import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from django.test import Client

from commons import sockets as house
from commons.dashboards import drawing, outlines, queries, services, sockets
from commons.dashboards.models import FigureDay
from commons.dashboards.sockets import Chart, Line
from commons.places.models import Place
from commons.places.services import ensure_neighbourhood
from energy import services as energy
from energy.dashboards import curves_of
from tests.energy.conftest import write
from tests.person.conftest import DAYS, World

pytestmark = pytest.mark.django_db
HERE = "/places/kamppi/dashboard/"
HOMES, MADE_PER_HOUR = 16, 16 / 2 * 2.0


def document(client: Client, what: str, place: str = "kamppi") -> dict[str, object]:
    answer = client.get(f"/places/{place}/dashboard/{what}.json")
    assert answer.status_code == 200, what
    found: dict[str, object] = json.loads(answer.content)
    return found


def rows(client: Client, what: str) -> list[dict[str, str]]:
    answer = client.get(f"{HERE}{what}.csv")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))  # type: ignore[call-overload]


def test_every_page_answers_and_every_export_has_its_definition(client: Client, world: World) -> None:
    for place in ("kamppi", "helsinki", "kallio"):
        for page in ("", "energy/", "making/", "deciding/", "sectors/", "compare/", "compare/?figure=coverage"):
            assert client.get(f"/places/{place}/dashboard/{page}").status_code == 200, (place, page)
        listed = client.get(f"/api/v1/places/{place}/dashboard/").json()["parts"]
        assert {"figure-prosumer", "figure-coverage", "figure-open_production", "sectors", "compare"} <= {
            part["what"] for part in listed
        }
    for what in ("figure-prosumer", "figure-open_production", "panel-energy-hours", "panel-labs-objects", "sectors"):
        told = document(client, what)
        assert told["definition"], what
        assert told["version"], what
        assert told["rows"], what
        assert all(row["definition_version"] == told["version"] for row in rows(client, what)), what
        over_api = client.get(f"/api/v1{HERE}{what}/").json()
        assert [over_api[key] for key in ("what", "title", "version", "columns")] == [
            told[key] for key in ("what", "title", "version", "columns")
        ]
        assert len(over_api["rows"]) == len(told["rows"])  # type: ignore[arg-type]
    for wrong in ("figure-none", "panel-none", "nothing"):
        assert client.get(f"{HERE}{wrong}.json").status_code == 404
    assert client.get(f"{HERE}no-such-tab/").status_code == 404
    assert client.get("/places/nowhere/dashboard/").status_code == 404


def test_hours_and_weeks_are_the_sums_of_what_was_brought(client: Client, world: World) -> None:
    """The folder makes 2 kWh from 9 to 14 UTC on every second roof: 11 to 16 by the clock of Helsinki in January."""
    hours = {row["hour"]: float(row["made_kw"]) for row in rows(client, "panel-energy-hours")}
    assert {hour for hour, made in hours.items() if made > 0} == {"11:00", "12:00", "13:00", "14:00", "15:00"}
    assert hours["12:00"] == pytest.approx(MADE_PER_HOUR, rel=0.01)
    weeks = rows(client, "panel-energy-weeks")
    assert [row["week_of"] for row in weeks] == ["2026-01-05"], "16 days from a Thursday hold one whole week"
    assert float(weeks[0]["made_kwh"]) == pytest.approx(7 * 5 * MADE_PER_HOUR, rel=0.01)
    history = document(client, "figure-prosumer")["rows"]
    assert [point["value"] for point in history] == [pytest.approx(float(weeks[0]["ratio"]), abs=1e-4)]  # type: ignore[index, attr-defined]
    sun = curves_of(world.kamppi)
    assert sun is not None
    assert len(sun.made) == 24 * DAYS


def test_makes_and_objects_say_what_is_public_alone(client: Client, world: World) -> None:
    made = {row["title"]: row for row in rows(client, "panel-labs-made")}
    assert set(made) == {"Bracket", "not known or not public"}
    assert (made["Bracket"]["jobs"], made["Bracket"]["hours"]) == ("3", "6.0")
    assert made["not known or not public"]["jobs"] == "2"
    classes = {row["size"]: row for row in rows(client, "panel-labs-objects")}
    assert set(classes) == {"under 25 g", "500 g and more", "not known"}
    small = classes["under 25 g"]
    assert (float(small["kwh_median"]), float(small["co2_median_kg"])) == (0.4, 0.04)
    assert classes["not known"]["kwh_median"] == ""
    everything = "".join(
        client.get(address).content.decode()
        for address in (HERE, f"{HERE}making/", f"{HERE}making/?x=1", f"{HERE}panel-labs-made.json", f"{HERE}sectors/")
    )
    assert "ecret" not in everything


def test_too_few_homes_fill_no_panel(client: Client, world: World, tmp_path: Path) -> None:
    """Five households publish no sums, so their place has neither hours nor weeks nor a ratio over time."""
    kallio = Place.objects.get(slug="kallio")
    energy.import_folder(folder=write(tmp_path / "few", homes=5, name="Few"), slug="few", place=kallio)
    assert curves_of(kallio) is None
    for what in ("panel-energy-hours", "panel-energy-weeks"):
        assert client.get(f"/places/kallio/dashboard/{what}.json").status_code == 404
    assert document(client, "figure-prosumer", "kallio")["rows"] == []
    cells = {(s.slug, c.respect): c for s in queries.sectors(kallio) for c in s.cells}
    assert cells["energy", "used"].status == "none"


def test_the_days_of_a_figure_are_kept_once_and_a_gap_stays_one(client: Client, world: World) -> None:
    assert services.keep_figures(place=world.kamppi) == services.keep_figures(place=world.kamppi) >= 1
    row = FigureDay.objects.get(place=world.kamppi, figure="prosumer")
    headline = house.figures.get("prosumer")
    assert headline is not None
    assert row.value == headline.compute(world.kamppi).value
    FigureDay.objects.create(
        place=world.kamppi, figure="coverage", day=row.day - dt.timedelta(days=2), value=0.25, version="coverage 1"
    )
    FigureDay.objects.update_or_create(
        place=world.kamppi, figure="coverage", day=row.day, defaults={"value": 0.5, "version": "coverage 1"}
    )
    points = queries.kept("coverage", world.kamppi)
    assert [point.value for point in points] == [0.25, None, 0.5]


def test_sectors_are_found_and_never_typed_in(client: Client, world: World) -> None:
    cells = {(s.slug, c.respect): c for s in queries.sectors(world.kamppi) for c in s.cells}
    assert cells["making", "made"].status == "live", "a job was measured three days ago"
    assert cells["energy", "used"].status == "partial", "the data end in January"
    assert cells["food", "made"].status == "none"
    assert cells["materials", "used"].status == "partial", "one job does not tell its mass"
    world.printer.jobs.update(energy_quality="none")
    again = {(s.slug, c.respect): c for s in queries.sectors(world.kamppi) for c in s.cells}
    assert again["making", "made"].status == "partial"
    told = document(client, "sectors")["rows"]
    assert len(told) == len(queries.SECTORS) * len(queries.RESPECTS)  # type: ignore[arg-type]


def test_a_room_that_fails_costs_its_own_panel(client: Client, world: World) -> None:
    def broken(place: Place) -> sockets.Sheet:
        raise RuntimeError("on purpose")

    sockets.panels.register(sockets.Panel("broken", "energy", "Broken", "…", "1", broken, 1))
    try:
        page = client.get(f"{HERE}energy/").content.decode()
    finally:
        del sockets.panels._plugs["broken"]
    assert "Best weeks" in page


def test_neighbourhoods_stand_side_by_side_on_a_map(client: Client, world: World) -> None:
    ensure_neighbourhood(slug="flat", name="No outline", city=world.city)
    page = client.get("/places/helsinki/dashboard/compare/").content.decode()
    drawn = page[page.index('<svg class="outlines"') : page.index("</svg>", page.index('<svg class="outlines"')) + 6]
    assert [a.get("href") for a in fromstring(drawn)] == ["/places/kallio/dashboard/", "/places/kamppi/dashboard/"]  # noqa: S314 our own drawing
    told = {row["place"]: row for row in document(client, "compare", "helsinki")["rows"]}  # type: ignore[attr-defined, index]
    assert set(told) == {"helsinki", "kamppi", "kallio", "flat"}
    assert told["kallio"]["prosumer"] is None
    assert told["kamppi"]["prosumer"] == pytest.approx(told["helsinki"]["prosumer"])


# --- drawing: pure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "steps"),
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (0, 7.3, [0, 2, 4, 6, 8]),
        (-3, 5, [-4, -2, 0, 2, 4, 6]),
        (0, 1300, [0, 500, 1000, 1500]),
    ],
)
def test_scales_are_round_and_hold_all(low: float, high: float, steps: list[float]) -> None:
    assert drawing.scale(low, high) == steps


def test_a_chart_is_drawn_to_scale_and_gaps_stay_gaps() -> None:
    chart = Chart(["a", "b", "c"], [Line("x", "solar", [1, None, 4], "bar"), Line("y", "load", [2, None, 3])], "kW")
    drawn = drawing.draw(chart, drawing.WIDE)
    low, high = drawn.bars
    assert high.height == pytest.approx(4 * low.height, rel=0.01)
    assert low.y + low.height == pytest.approx(drawn.zero, abs=0.2)
    (line,) = drawn.paths
    assert (line.d, len(line.dots)) == ("", 2), "two values apart are two dots, no line over the gap"
    narrow = drawing.draw(chart, drawing.NARROW)
    assert narrow.width < drawn.width
    empty = drawing.draw(Chart([], [], ""), drawing.WIDE)
    assert not empty.bars


def test_outlines_keep_their_shape() -> None:
    square = {"type": "Polygon", "coordinates": [[[25, 60], [25.02, 60], [25.02, 60.01], [25, 60.01], [25, 60]]]}
    (shape,), height = outlines.drawn({"a": square}, {"a": 1.0})
    points = [tuple(map(float, pair.split())) for pair in shape.d.strip("MZ").split("L")]
    wide = max(x for x, _y in points) - min(x for x, _y in points)
    tall = max(y for _x, y in points) - min(y for _x, y in points)
    assert wide / tall == pytest.approx(1.0, abs=0.01), "at 60 degrees a degree of longitude is half as long"
    assert shape.shade == outlines.SHADES
    assert height <= outlines.MOST_HEIGHT
    assert outlines.drawn({}, {}) == ([], 0)
    assert [outlines.shade(v, 10) for v in (None, 0, 4.9, 10)] == [0, 1, 3, 5]
