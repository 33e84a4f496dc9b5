"""The front door and what hangs on it."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons import sockets
from commons.errors import BadInput
from commons.people.models import User
from commons.people.services import create_user
from commons.places import queries, services
from commons.places.errors import BadOutline, BadTimeZone, OtherKind
from commons.places.models import Place
from livingcity.views import finding

pytestmark = pytest.mark.django_db

START, END = dt.datetime(2025, 11, 22, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


class Plugs:
    """Plugs of a test, taken out again afterwards."""

    def __init__(self) -> None:
        self.made: list[tuple[sockets.Socket[Any], str]] = []

    def plug(self, socket: sockets.Socket[Any], thing: Any) -> None:
        socket.register(thing)
        self.made.append((socket, thing.slug))

    def figure(self, slug: str, compute: Callable[[Place], sockets.Figure], style: str = "ratio") -> None:
        assert style in {"ratio", "percent"}
        definition, version = "Made here over used here.", "1"
        plug = sockets.HeadlineFigure(slug, f"Test {slug}", style, 1.0, compute, definition, version)  # type: ignore[arg-type]
        self.plug(sockets.figures, plug)


@pytest.fixture
def plugs() -> Iterator[Plugs]:
    made = Plugs()
    yield made
    for socket, slug in made.made:
        del socket._plugs[slug]


@pytest.fixture
def kamppi() -> Place:
    city = services.ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI")
    services.ensure_neighbourhood(slug="port", name="Port", city=city)
    return services.ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)


def known(place: Place) -> sockets.Figure:
    rows: list[Mapping[str, Any]] = [
        {"member": "house <1>", "made_kwh": 61.0, "url": "/energy/"},
        {"member": "=cmd()", "made_kwh": None, "note": "silent"},
    ]
    return sockets.Figure(0.61, 61.0, 100.0, "kWh", START, END, 0.97, "For each kWh used, 0.61 were made.", rows)


def broken(place: Place) -> sockets.Figure:
    raise ZeroDivisionError


# --- places ------------------------------------------------------------------------------------------------------


def test_ensuring_a_place_twice_changes_it_and_makes_no_second() -> None:
    first = services.ensure_city(slug="turku", name="Turku", timezone="Europe/Helsinki")
    second = services.ensure_city(slug="turku", name="Åbo", timezone="Europe/Stockholm")
    assert (first.pk, second.name, second.timezone, Place.objects.count()) == (second.pk, "Åbo", "Europe/Stockholm", 1)
    services.ensure_city(slug="turku", name="Åbo", timezone="Europe/Stockholm", outline=services.box(22, 60, 23, 61))
    kept = services.ensure_city(slug="turku", name="Åbo", timezone="Europe/Stockholm")
    assert kept.outline == services.box(22, 60, 23, 61), "what is not given stays"


def test_a_bad_place_is_refused_and_changes_nothing(kamppi: Place) -> None:
    before = list(Place.objects.values())
    with pytest.raises(BadTimeZone, match="Mars/Olympus"):
        services.ensure_city(slug="helsinki", name="x", timezone="Mars/Olympus")
    with pytest.raises(OtherKind):
        services.ensure_city(slug="kamppi", name="x")
    for outline in (
        {},
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [5, 5]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [181, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [["a", "b", "c", "a"]]},
        {"type": "MultiPolygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    ):
        with pytest.raises(BadOutline):
            services.ensure_neighbourhood(slug="kamppi", name="x", outline=outline)
    assert list(Place.objects.values()) == before


# --- home --------------------------------------------------------------------------------------------------------


def test_a_city_without_a_place_says_what_to_do(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "no place here yet" in page
    client.force_login(create_user(username="chief", is_staff=True))
    assert "/staff/places/place/add/" in client.get("/").content.decode()


def test_the_first_line_is_the_place_its_day_and_its_own_clock(client: Client, kamppi: Place) -> None:
    before = queries.local_now(kamppi)
    page = client.get("/places/kamppi/").content.decode()
    after = queries.local_now(kamppi)
    assert before.utcoffset() == dt.timedelta(hours=2) or before.utcoffset() == dt.timedelta(hours=3)
    assert any(f"<h1>Kamppi, {moment:%A %H:%M}</h1>" in page for moment in (before, after))


def test_a_place_once_looked_at_is_remembered(client: Client, kamppi: Place) -> None:
    assert "<h1>Kamppi" in client.get("/").content.decode(), "the first by name"
    assert client.get("/places/port/").cookies["place"]["httponly"]
    assert "<h1>Port" in client.get("/").content.decode()
    home = Client()
    person = create_user(username="anna")
    User.objects.filter(pk=person.pk).update(home=Place.objects.get(slug="port"))
    home.force_login(person)
    assert "<h1>Port" in home.get("/").content.decode()
    client.cookies["place"] = "atlantis"
    assert "<h1>Kamppi" in client.get("/").content.decode()


def test_the_switch_leads_to_the_neighbours_and_the_city(client: Client, kamppi: Place) -> None:
    page = client.get("/places/kamppi/").content.decode()
    for slug in ("port", "helsinki"):
        assert f'href="/places/{slug}/"' in page
    assert "All Helsinki" in page


def test_a_room_that_breaks_costs_only_its_own_part(client: Client, kamppi: Place, plugs: Plugs) -> None:
    plugs.figure("good", known)
    plugs.figure("bad", broken)
    plugs.plug(sockets.home_cards, sockets.HomeCard("bad", "nowhere.html", lambda r, p: {}))
    plugs.plug(sockets.home_cards, sockets.HomeCard("away", "nowhere.html", lambda r, p: None))
    plugs.plug(sockets.search_sources, sockets.SearchSource("bad", "Bad", lambda w, u, n: [1 / 0]))  # type: ignore[list-item]
    response = client.get("/places/kamppi/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "0.61" in page and "For each kWh used" in page and "could not be worked out" in page
    create_user(username="kamppila")
    assert "kamppila" in client.get("/search/?q=kamppi").content.decode()


def test_a_refusal_of_a_figure_is_its_sentence(kamppi: Place, plugs: Plugs) -> None:
    def refuse(place: Place) -> sockets.Figure:
        raise BadInput("No meter has spoken yet.")

    plugs.figure("silent", refuse)
    found = queries.metrics_document(kamppi)["figures"]["silent"]
    assert (found["value"], found["sentence"]) == (None, "No meter has spoken yet.")


def test_page_api_file_and_command_agree(client: Client, kamppi: Place, plugs: Plugs) -> None:
    plugs.figure("made", known)
    over_api = client.get("/api/v1/places/kamppi/metrics/").json()["figures"]["made"]
    out = io.StringIO()
    call_command("metrics", "--json", stdout=out)
    by_command = {p["place"]: p for p in json.loads(out.getvalue())["places"]}
    in_file = client.get("/measure/made.json?place=kamppi").json()
    assert set(by_command) == {"kamppi", "port"}
    wanted = {
        "value": 0.61,
        "numerator": 61.0,
        "denominator": 100.0,
        "unit": "kWh",
        "completeness": 0.97,
        "version": "1",
    }
    for document in (over_api, by_command["kamppi"]["figures"]["made"], in_file):
        assert wanted.items() <= document.items()
        assert document["period"] == {"start": "2025-11-22T00:00:00Z", "end": "2026-11-22T00:00:00Z"}
    assert [row["member"] for row in in_file["evidence"]] == ["house <1>", "=cmd()"]
    page = client.get("/measure/made/?place=kamppi").content.decode()
    for words in (
        "0.61",
        "61 kWh",
        "100 kWh",
        "97",
        "22 November 2025",
        "house &lt;1&gt;",
        "Made here over used here.",
    ):
        assert words in page, words


def test_rows_as_csv_hold_no_formula(client: Client, kamppi: Place, plugs: Plugs) -> None:
    plugs.figure("made", known)
    response = client.get("/measure/made.csv?place=kamppi")
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]
    assert rows[0] == ["member", "made_kwh", "url", "note"]
    assert rows[1:] == [["house <1>", "61.0", "/energy/", ""], ["'=cmd()", "", "", "silent"]]


def test_a_figure_that_is_not_there_is_a_404(client: Client, kamppi: Place) -> None:
    for address in ("/measure/never/", "/measure/never.csv", "/data/never.csv", "/measure/never/?place=atlantis"):
        assert client.get(address).status_code == 404


# --- the sun -----------------------------------------------------------------------------------------------------


def test_the_sun_is_asked_once_a_minute(client: Client, kamppi: Place, plugs: Plugs) -> None:
    cache.clear()
    asked: list[str] = []

    def hours(place: Place) -> list[sockets.SunHour]:
        asked.append(place.slug)
        day = timezone.now().replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=3)
        return [sockets.SunHour(day + dt.timedelta(hours=n), 12.0 if n < 5 else -4.0, n > 3) for n in range(10)]

    plugs.plug(sockets.sun, sockets.SunRibbon("aa-test", hours, order=-1))
    for _ in range(3):
        page = client.get("/places/kamppi/").content.decode()
    assert asked == ["kamppi"]
    assert "The roofs make more than the neighbourhood uses." in page
    until = queries.local_now(kamppi).replace(minute=0) + dt.timedelta(hours=2)
    assert f"Sun to spare until about {until:%H:%M}." in page
    cache.clear()


# --- search, data, health ----------------------------------------------------------------------------------------


def test_search_groups_and_puts_the_best_group_first(client: Client, plugs: Plugs) -> None:
    def low(words: str, user: User | None, limit: int) -> list[sockets.Hit]:
        return [sockets.Hit("Low hit", "/low/", rank=0.1)]

    def high(words: str, user: User | None, limit: int) -> list[sockets.Hit]:
        return [sockets.Hit(f"High hit <{words}>", "/high/", rank=5.0)] * 99

    plugs.plug(sockets.search_sources, sockets.SearchSource("low", "Lows", low, order=1))
    plugs.plug(sockets.search_sources, sockets.SearchSource("high", "Highs", high, order=2))
    page = client.get("/search/?q=++wo++rds").content.decode()
    assert page.index("Highs") < page.index("Lows")
    assert "High hit &lt;wo rds&gt;" in page
    assert page.count('href="/high/"') == 10


def test_a_dataset_comes_as_csv_and_lines(client: Client, kamppi: Place, plugs: Plugs) -> None:
    rows = [{"a": 1, "b": [1, 2]}, {"a": 2, "c": dt.date(2026, 11, 22)}]
    plugs.plug(sockets.open_datasets, sockets.OpenDataset("numbers", "Numbers", "CC0-1.0", rows=lambda: rows))
    assert "CC0-1.0" in client.get("/data/").content.decode()
    csv_file = b"".join(client.get("/data/numbers.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert csv_file.split() == ["a,b,c", '1,"[1,2]",', "2,,2026-11-22"]
    lines = b"".join(client.get("/data/numbers.jsonl").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [json.loads(line) for line in lines] == [{"a": 1, "b": [1, 2]}, {"a": 2, "c": "2026-11-22"}]


def test_alive_is_not_ready(client: Client, plugs: Plugs) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    checks = client.get("/readyz").json()["checks"]
    assert checks["database"]["ok"] and checks["valkey"]["ok"]
    assert "worker" in checks
    plugs.plug(sockets.health_checks, sockets.HealthCheck("broken", lambda: 1 / 0))  # type: ignore[arg-type,return-value]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["broken"]["ok"]) == (503, False)
    assert "no-store" in answer["Cache-Control"]


def test_ready_means_that_every_check_is_good(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    good = sockets.Socket[sockets.HealthCheck]("health_checks")
    good.register(sockets.HealthCheck("one", lambda: sockets.Health(True, "fine", {"extra": 1})))
    monkeypatch.setattr(sockets, "health_checks", good)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["checks"]["one"]["extra"]) == (200, "ready", 1)


def test_small_files(client: Client) -> None:
    robots = client.get("/robots.txt").content.decode()
    assert "Disallow: /me/" in robots and "Disallow: /fi/me/" in robots and "/sitemap.xml\n" in robots
    assert client.get("/favicon.ico")["Content-Type"] == "image/svg+xml"
    assert client.get("/manifest.webmanifest").json()["start_url"] == "/"
    assert client.get("/api/")["Location"] == "/api/v1/docs/"


def parsed(raw: bytes) -> Element:
    """What a page of ours says in XML."""
    return fromstring(raw)  # noqa: S314 our own


def test_the_maps_of_the_site_name_each_public_page_once(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_URL = "https://city.example"
    monkeypatch.setattr(finding, "IN_A_FILE", 2)
    monkeypatch.setattr(sockets, "sitemaps", sockets.Socket[sockets.Sitemap]("sitemaps"))
    paths = ["/designs/a/b/", "/designs/a/c&d/", "/designs/a/e/"]
    when = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    sockets.sitemaps.register(
        sockets.Sitemap("designs", lambda: 3, lambda start, stop: [(path, when) for path in paths[start:stop]])
    )
    sockets.sitemaps.register(sockets.Sitemap("none", lambda: 0, lambda _start, _stop: []))

    def read(address: str) -> dict[str, str | None]:
        answer = client.get(address.removeprefix("https://city.example"))
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
        space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
        return {str(e.findtext(f"{space}loc")): e.findtext(f"{space}lastmod") for e in parsed(answer.content)}

    files = list(read("/sitemap.xml"))
    assert files == [f"https://city.example/sitemap-{name}.xml" for name in ("site-1", "designs-1", "designs-2")]
    assert {"https://city.example/", "https://city.example/measure/"} <= set(read(files[0]))
    assert read(files[1]) | read(files[2]) == {f"https://city.example{p}": "2026-01-31T12:00:00+00:00" for p in paths}
    for address in ("designs-3", "designs-0", "none-1", "nothing-1", "site-2"):
        assert client.get(f"/sitemap-{address}.xml").status_code == 404, address


def test_a_browser_learns_how_to_search_here(client: Client) -> None:
    for tongue in ("", "/fi"):
        assert f'href="{tongue}/opensearch.xml"' in client.get(f"{tongue}/measure/").content.decode()
        found = parsed(client.get(f"{tongue}/opensearch.xml").content)
        space = "{http://a9.com/-/spec/opensearch/1.1/}"
        url = found.find(f"{space}Url")
        assert len(str(found.findtext(f"{space}ShortName"))) <= 16 and url is not None
        assert urlsplit(url.attrib["template"]).path == f"{tongue}/search/"
        assert client.get(url.attrib["template"].replace("{searchTerms}", "lamp")).status_code == 200


# --- the demo ----------------------------------------------------------------------------------------------------


def demo(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("demo", "--json", *words, stdout=out, stderr=io.StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_the_demos_places_and_people_come_once_and_go_whole() -> None:
    mine = create_user(username="mine")
    for _ in range(2):
        assert demo("--part", "places")["ok"]
    assert set(Place.objects.values_list("slug", "kind")) == {("helsinki", "city"), ("kamppi", "neighbourhood")}
    assert set(User.objects.filter(demo=True).values_list("username", flat=True)) == {
        "aino",
        "otto",
        "sanna",
        "mikko",
        "leila",
    }
    assert set(User.objects.filter(demo=True).values_list("home__slug", flat=True)) == {"kamppi"}
    kamppi = Place.objects.get(slug="kamppi")
    assert kamppi.outline is not None and kamppi.timezone == "Europe/Helsinki"
    assert kamppi.outline["coordinates"][0][0] == [24.9351762, 60.164155]
    assert demo("--remove", "--part", "places")["removed"]
    assert (Place.objects.count(), list(User.objects.all())) == (0, [mine])


def test_a_part_that_fails_is_named_and_the_others_go_on(plugs: Plugs, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    parts = sockets.Socket[sockets.DemoPart]("demo_parts")

    def part(slug: str, order: int, fault: Exception | None = None) -> None:
        def act(say: Callable[[str], None]) -> None:
            say("at it")
            if fault:
                raise fault
            done.append(slug)

        parts.register(sockets.DemoPart(slug, act, act, order))

    part("last", 30)
    part("refused", 20, BadInput("No such file."))
    part("broken", 15, RuntimeError("boom"))
    part("first", 10)
    monkeypatch.setattr(sockets, "demo_parts", parts)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("demo", "--json", stdout=out, stderr=io.StringIO())
    answer = json.loads(out.getvalue())
    assert done == ["first", "last"]
    assert [(p["part"], p["ok"]) for p in answer["parts"]] == [
        ("first", True),
        ("broken", False),
        ("refused", False),
        ("last", True),
    ]
    assert [p["error"] for p in answer["parts"]][1:3] == ["RuntimeError: boom", "No such file."]
    done.clear()
    with pytest.raises(CommandError):
        call_command("demo", "--remove", stdout=io.StringIO(), stderr=io.StringIO())
    assert done == ["last", "first"], "taken away in reverse"


@pytest.mark.django_db(transaction=True)
def test_two_demo_commands_do_not_mix(manage: Any) -> None:
    from livingcity.management.commands.demo import LOCK

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            second = manage("demo", "--part", "places", "--json")
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    assert (second.returncode, second.stdout) == (1, "")
    assert "Another demo command is at work" in second.stderr
    assert not Place.objects.exists()


# --- speed -------------------------------------------------------------------------------------------------------


def test_home_does_not_ask_more_with_more_places(
    client: Client, kamppi: Place, django_assert_max_num_queries: Any
) -> None:
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get("/places/kamppi/")
        return len(seen)

    client.get("/places/kamppi/")
    few = count()
    for n in range(12):
        services.ensure_neighbourhood(slug=f"more{n}", name=f"More {n}", city=kamppi.parent)
    assert count() <= few
